import { TestBed } from '@angular/core/testing';

import { Keyboard } from './keyboard';

function press(key: string, more: KeyboardEventInit = {}, target: EventTarget = document.body): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

describe('the keyboard', () => {
  const ran: string[] = [];
  const shortcut = (keys: string) => ({ keys, does: keys, run: () => ran.push(keys) });

  beforeEach(() => {
    ran.length = 0;
    TestBed.inject(Keyboard).use(['mod+k', 'a', 'g a', '?'].map(shortcut));
  });

  it('runs one key, a key with Ctrl or Command, and two keys in a row', () => {
    press('a');
    press('k', { ctrlKey: true });
    press('k', { metaKey: true });
    press('g');
    press('a');
    press('?', { shiftKey: true });

    expect(ran).toEqual(['a', 'mod+k', 'mod+k', 'g a', '?']);
  });

  it('leaves typing alone, but for keys with Ctrl', () => {
    const field = document.body.appendChild(document.createElement('textarea'));
    press('a', {}, field);
    press('k', { ctrlKey: true }, field);
    field.remove();

    expect(ran).toEqual(['mod+k']);
  });

  it('leaves alone what a page has used, what the system means, and what is composed or held', () => {
    const used = new KeyboardEvent('keydown', { key: 'a', cancelable: true });
    used.preventDefault();
    TestBed.inject(Keyboard).press(used);
    press('a', { ctrlKey: true });
    press('a', { altKey: true });
    press('a', { repeat: true });
    press('a', { isComposing: true });

    expect(ran).toEqual([]);
  });
});
