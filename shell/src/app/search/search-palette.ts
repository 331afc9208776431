import { AfterViewInit, ChangeDetectionStrategy, Component, DestroyRef, ElementRef, computed, inject, input, output, signal, viewChild } from '@angular/core';
import { Router } from '@angular/router';

import { Api, type Schemas } from '../api/client';
import { sentence } from '../api/problem';
import type { Shortcut } from '../keys/keyboard';
import { inWords } from '../quick-add/words';

const WAIT_MS = 140;

export interface Hit {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly note: string;
  readonly band: string | null;
  readonly open: () => void;
}

/** Accounts, people and actions by a few letters, and what can be done by name. The list is led by the arrow keys. */
@Component({
  selector: 'app-search-palette',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <dialog #dialog class="panel palette" aria-label="Search" closedby="any" (cancel)="$event.preventDefault(); closed.emit()" (close)="closed.emit()">
      <input
        #field
        type="text"
        enterkeyhint="search"
        role="combobox"
        aria-label="Search accounts, people and actions"
        aria-expanded="true"
        aria-controls="hits"
        aria-autocomplete="list"
        [attr.aria-activedescendant]="active()?.id"
        placeholder="Search accounts, people, actions"
        autocomplete="off"
        spellcheck="false"
        maxlength="100"
        (input)="search(field.value)"
        (keydown)="onKey($event)"
      />
      <div class="hits" id="hits" role="listbox" aria-label="Found">
        @for (hit of hits(); track hit.id; let place = $index) {
          @if (place === 0 || hits()[place - 1]?.group !== hit.group) {
            <div class="group" role="presentation">{{ hit.group }}</div>
          }
          <!-- the field keeps the focus and handles the keys: the pattern of a combobox -->
          <!-- eslint-disable-next-line @angular-eslint/template/click-events-have-key-events, @angular-eslint/template/interactive-supports-focus -->
          <div class="hit" role="option" [id]="hit.id" [attr.aria-selected]="place === at()" (pointermove)="at.set(place)" (click)="pick(hit)">
            <span class="hit-title">{{ hit.title }}</span>
            @if (hit.band; as band) { <span class="band" [attr.data-band]="band">{{ band }}</span> }
            <span class="hit-note">{{ hit.note }}</span>
          </div>
        }
      </div>
      <p class="palette-note" role="status">{{ note() }}</p>
    </dialog>
  `,
})
export class SearchPalette implements AfterViewInit {
  private readonly api = inject(Api);
  private readonly router = inject(Router);
  readonly commands = input.required<readonly Shortcut[]>();
  readonly closed = output();
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');

  private readonly text = signal('');
  private readonly found = signal<Schemas['Found'] | null>(null);
  private readonly problem = signal('');
  private readonly isAsking = signal(false);
  protected readonly at = signal(0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  protected readonly hits = computed<readonly Hit[]>(() => {
    const found = this.found();
    const words = this.text().trim().toLowerCase();
    const commands = this.commands()
      .filter((one) => !words || one.does.toLowerCase().includes(words))
      .map<Hit>((one) => ({ id: `do-${one.keys.replaceAll(/\W/g, '-')}`, group: 'Do', title: one.does, note: one.keys.toUpperCase(), band: null, open: one.run }));
    if (!words || !found) return commands;
    return [
      ...found.accounts.map<Hit>((one) => ({
        id: `account-${one.account_key}`,
        group: 'Accounts',
        title: one.account_name,
        note: [one.domain, one.csm_name, one.is_active ? null : 'churned'].filter(Boolean).join(' · '),
        band: one.is_active ? (one.health_band ?? '–') : null,
        open: () => this.go('account', { account: one.account_key }),
      })),
      ...found.contacts.map<Hit>((one) => ({
        id: `contact-${one.contact_key}`,
        group: 'People',
        title: one.contact_name ?? one.email ?? 'Unnamed',
        note: [one.account_name, one.job_title, one.is_champion ? 'champion' : null, one.has_left ? 'has left' : null].filter(Boolean).join(' · '),
        band: null,
        open: () => this.go('account', { account: one.account_key, tab: 'People' }),
      })),
      ...found.actions.map<Hit>((one) => ({
        id: `action-${one.action_id}`,
        group: 'Actions',
        title: one.title,
        note: [one.account_name, inWords(one.status), one.owner_name ?? 'unassigned'].filter(Boolean).join(' · '),
        band: null,
        open: () => this.go('actions', { action: one.action_id }),
      })),
      ...commands,
    ];
  });
  protected readonly active = computed(() => this.hits()[Math.min(this.at(), this.hits().length - 1)]);
  protected readonly note = computed(() => {
    if (this.problem()) return this.problem();
    if (!this.text().trim()) return 'Type a name, a domain, an address or a few words of an action.';
    if (!this.found()) return this.isAsking() ? 'Searching…' : '';
    const count = this.hits().filter((hit) => hit.group !== 'Do').length;
    return count ? `${count} found. ↑ ↓ to choose, Enter to open.` : `Nothing holds “${this.text().trim()}”. Try fewer letters.`;
  });

  constructor() {
    inject(DestroyRef).onDestroy(() => clearTimeout(this.timer));
  }

  ngAfterViewInit(): void {
    this.dialog().nativeElement.showModal();
  }

  protected search(text: string): void {
    this.text.set(text);
    this.at.set(0);
    clearTimeout(this.timer);
    if (text.trim()) this.timer = setTimeout(() => void this.ask(text.trim()), WAIT_MS);
    else this.found.set(null);
  }

  private async ask(text: string): Promise<void> {
    const turn = ++this.asked;
    this.isAsking.set(true);
    try {
      const found = await this.api.get('/search', { text, limit: 6 });
      // answers may overtake one another: only that to the newest question counts
      if (turn !== this.asked) return;
      this.found.set(found);
      this.problem.set('');
    } catch (error) {
      if (turn === this.asked) this.problem.set(sentence(error));
    } finally {
      if (turn === this.asked) this.isAsking.set(false);
    }
  }

  protected onKey(event: KeyboardEvent): void {
    const last = this.hits().length - 1;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };
    const step = steps[event.key];
    if (step !== undefined && last >= 0) {
      event.preventDefault();
      const next = this.at() + step;
      this.at.set(next < 0 ? (Math.abs(step) === 1 ? last : 0) : next > last ? (Math.abs(step) === 1 ? 0 : last) : next);
      const id = this.active()?.id;
      if (id) document.getElementById(id)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      const hit = this.active();
      if (hit) this.pick(hit);
    }
  }

  protected pick(hit: Hit): void {
    this.dialog().nativeElement.close();
    // after `closed` has been heard, so that a command may open something else
    setTimeout(() => hit.open());
  }

  private go(page: string, queryParams: Record<string, string>): void {
    void this.router.navigate(['/pages', page], { queryParams, replaceUrl: true });
  }
}
