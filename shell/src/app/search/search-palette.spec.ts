import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';

import { SearchPalette } from './search-palette';

const FOUND = {
  accounts: [{ account_key: 'k1', account_name: 'Alder Inns', domain: 'alder.example', csm_name: 'Jonas', health_band: 'G', mrr_eur: 1, is_active: true }],
  contacts: [{ contact_key: 'c1', account_key: 'k2', account_name: 'Beech', contact_name: 'Alice', email: null, job_title: null, is_champion: true, has_left: false }],
  actions: [],
};

describe('search', () => {
  let fixture: ComponentFixture<SearchPalette>;
  let http: HttpTestingController;
  const ran = vi.fn();

  beforeEach(() => {
    vi.useFakeTimers();
    // jsdom has no modal dialogs
    HTMLDialogElement.prototype.showModal = function () { this.open = true; };
    HTMLDialogElement.prototype.close = function () { this.open = false; };
    Element.prototype.scrollIntoView = () => undefined;
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([])] });
    http = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(SearchPalette);
    fixture.componentRef.setInput('commands', [{ keys: 'a', does: 'Add an action', run: ran }]);
    fixture.detectChanges();
  });
  afterEach(() => vi.useRealTimers());

  const element = () => fixture.nativeElement as HTMLElement;
  const field = () => element().querySelector('input') as HTMLInputElement;
  const chosen = () => element().querySelector('[aria-selected="true"] .hit-title')?.textContent;
  async function type(text: string): Promise<void> {
    field().value = text;
    field().dispatchEvent(new Event('input'));
    await vi.advanceTimersByTimeAsync(200);
  }
  async function key(name: string): Promise<void> {
    field().dispatchEvent(new KeyboardEvent('keydown', { key: name, cancelable: true }));
    await vi.advanceTimersByTimeAsync(20);
    fixture.detectChanges();
  }
  async function answer(text: string, found: object): Promise<void> {
    http.expectOne((one) => one.params.get('text') === text).flush(found);
    await vi.advanceTimersByTimeAsync(0);
    fixture.detectChanges();
  }

  it('is led by the arrow keys, round and round, and Enter opens', async () => {
    const navigate = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    await type('al');
    await answer('al', FOUND);

    expect(chosen()).toBe('Alder Inns');
    await key('ArrowDown');
    expect(chosen()).toBe('Alice');
    expect(field().getAttribute('aria-activedescendant')).toBe('contact-c1');
    await key('ArrowUp');
    await key('ArrowUp');
    expect(chosen()).toBe('Alice');
    await key('Enter');

    expect(navigate).toHaveBeenCalledWith(['/pages', 'account'], { queryParams: { account: 'k2', tab: 'People' }, replaceUrl: true });
  });

  it('shows only the answer to the newest question', async () => {
    await type('al');
    await type('alder');
    const [first, second] = http.match(() => true);
    second?.flush(FOUND);
    first?.flush({ accounts: [], contacts: [], actions: [] });
    await vi.advanceTimersByTimeAsync(0);
    fixture.detectChanges();

    expect(element().textContent).toContain('Alder Inns');
  });

  it('says when nothing was found, and runs a command by its name', async () => {
    await type('zzz');
    await answer('zzz', { accounts: [], contacts: [], actions: [] });
    expect(element().querySelector('[role="status"]')?.textContent).toContain('Nothing holds “zzz”');

    await type('add');
    await answer('add', { accounts: [], contacts: [], actions: [] });
    await key('Enter');
    expect(ran).toHaveBeenCalledOnce();
  });
});
