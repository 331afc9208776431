import { ComponentFixture, TestBed } from '@angular/core/testing';

import { Combobox, type Option } from './combobox';

const PEOPLE: readonly Option[] = [
  { key: 'c1', title: 'Ada Quill', note: 'champion' },
  { key: 'c2', title: 'Ben Ash', note: '' },
];

describe('a field with a list', () => {
  let fixture: ComponentFixture<Combobox>;
  let chosen: string[];

  async function drawn(isFree: boolean, text = ''): Promise<HTMLInputElement> {
    Element.prototype.scrollIntoView = () => undefined;
    fixture = TestBed.createComponent(Combobox);
    fixture.componentRef.setInput('fieldId', 'who');
    fixture.componentRef.setInput('label', 'People');
    fixture.componentRef.setInput('text', text);
    fixture.componentRef.setInput('options', PEOPLE);
    fixture.componentRef.setInput('isFree', isFree);
    chosen = [];
    fixture.componentInstance.chosen.subscribe((one) => chosen.push(one.key));
    await fixture.whenStable();
    return (fixture.nativeElement as HTMLElement).querySelector('input') as HTMLInputElement;
  }
  async function key(field: HTMLInputElement, name: string): Promise<boolean> {
    const event = new KeyboardEvent('keydown', { key: name, cancelable: true });
    field.dispatchEvent(event);
    await fixture.whenStable();
    return event.defaultPrevented;
  }

  it('that takes what is listed only has its first one chosen by Enter', async () => {
    const field = await drawn(false);
    field.dispatchEvent(new Event('input'));

    expect(await key(field, 'Enter')).toBe(true);
    expect(chosen).toEqual(['c1']);
    expect(await key(field, 'Enter')).toBe(false); // the list is closed: Enter is the form's again
  });

  it('that takes any text leaves Enter to the form until an arrow has chosen somebody', async () => {
    const field = await drawn(true);
    field.dispatchEvent(new Event('input'));

    expect(await key(field, 'Enter')).toBe(false);
    await key(field, 'ArrowUp');
    expect(field.getAttribute('aria-activedescendant')).toBe('who-1');
    await key(field, 'Enter');
    expect(chosen).toEqual(['c2']);
  });

  it('gives Escape to its list first, then to whatever it stands in', async () => {
    const field = await drawn(true);
    await key(field, 'ArrowDown');
    expect(field.getAttribute('aria-expanded')).toBe('true');

    expect(await key(field, 'Escape')).toBe(true);
    expect(field.getAttribute('aria-expanded')).toBe('false');
    expect(await key(field, 'Escape')).toBe(false);
  });

  it.each([[false, ['c2']], [true, []]])('left with a whole name in it, and any text allowed: %s', async (isFree, expected) => {
    const field = await drawn(isFree, 'ben ash');
    field.dispatchEvent(new Event('input'));
    field.dispatchEvent(new Event('blur'));

    expect(chosen).toEqual(expected);
  });
});
