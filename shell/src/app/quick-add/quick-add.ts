import { AfterViewInit, ChangeDetectionStrategy, Component, DestroyRef, ElementRef, computed, inject, output, signal, viewChild } from '@angular/core';
import { Router } from '@angular/router';

import { Api, type Schemas, requestKey } from '../api/client';
import { sentence } from '../api/problem';
import { priorityValues } from '../api/schema';
import { FrameLink } from '../frame/frame-link';
import { Toasts } from '../layout/toasts';
import { Session } from '../session/session';
import { type Draft, emptyDraft, keepDraft, proposed, readDraft } from './draft';
import { inWords } from './words';

const WAIT_MS = 140;
type AccountHit = Schemas['AccountHit'];

/** A new action from anywhere: on the account that is open, or on one found by name. */
@Component({
  selector: 'app-quick-add',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <dialog #dialog class="panel" aria-labelledby="add-title" (close)="closed.emit()">
      <header><h2 id="add-title">Add action</h2></header>
      <form (submit)="$event.preventDefault(); send()" (keydown.control.enter)="send()" (keydown.meta.enter)="send()">
        <div class="field">
          <label for="add-account">Account</label>
          <input
            #account
            id="add-account"
            role="combobox"
            aria-autocomplete="list"
            aria-controls="add-accounts"
            [attr.aria-expanded]="options().length > 0"
            [attr.aria-activedescendant]="options().length ? 'add-account-' + at() : null"
            autocomplete="off"
            spellcheck="false"
            maxlength="100"
            required
            placeholder="Type a name or a domain"
            [value]="draft().accountName"
            (input)="findAccounts(account.value)"
            (keydown)="onAccountKey($event)"
            (blur)="onAccountBlur()"
          />
          <div class="options" id="add-accounts" role="listbox" aria-label="Accounts" [hidden]="!options().length">
            @for (one of options(); track one.account_key; let place = $index) {
              <!-- the field keeps the focus and handles the keys: the pattern of a combobox -->
              <!-- eslint-disable-next-line @angular-eslint/template/click-events-have-key-events, @angular-eslint/template/interactive-supports-focus -->
              <div class="hit" role="option" [id]="'add-account-' + place" [attr.aria-selected]="place === at()" (pointerdown)="$event.preventDefault()" (pointermove)="at.set(place)" (click)="choose(one)">
                <span class="hit-title">{{ one.account_name }}</span><span class="hit-note">{{ one.csm_name }}</span>
              </div>
            }
          </div>
        </div>
        <div class="field">
          <label for="add-what">Title</label>
          <input #what id="add-what" maxlength="200" required [value]="draft().title" (input)="change({ title: what.value })" placeholder="Call the champion about the drop in sends" />
        </div>
        <div class="fields">
          <div class="field">
            <label for="add-intervention">What to do</label>
            <select #intervention id="add-intervention" (change)="change({ intervention: intervention.value, actionType: '', priority: '', dueDate: '' })">
              @for (one of starting()?.interventions; track one.code) { <option [value]="one.code" [selected]="one.code === shown().intervention">{{ one.label }}</option> }
            </select>
          </div>
          <div class="field">
            <label for="add-type">Kind</label>
            <select #type id="add-type" (change)="change({ actionType: type.value, priority: '', dueDate: '' })">
              @for (one of starting()?.types; track one.code) { <option [value]="one.code" [selected]="one.code === shown().actionType">{{ one.label }}</option> }
            </select>
          </div>
          <div class="field">
            <label for="add-priority">Priority</label>
            <select #priority id="add-priority" (change)="change({ priority: priority.value })">
              @for (code of priorities; track code) { <option [value]="code" [selected]="code === shown().priority">{{ words(code) }}</option> }
            </select>
          </div>
          <div class="field">
            <label for="add-due">Due</label>
            <input #due id="add-due" type="date" [value]="shown().dueDate" (input)="change({ dueDate: due.value })" />
          </div>
          @if (people().length) {
            <div class="field">
              <label for="add-owner">Owner</label>
              <select #owner id="add-owner" (change)="change({ ownerId: owner.value })">
                <option value="" [selected]="!draft().ownerId">Nobody yet: the unassigned queue</option>
                @for (one of people(); track one.user_id) { <option [value]="one.user_id" [selected]="one.user_id === draft().ownerId">{{ one.display_name }}</option> }
              </select>
            </div>
          }
        </div>
        <div class="field">
          <label for="add-reason">Why now <span class="muted">optional</span></label>
          <input #reason id="add-reason" maxlength="200" list="add-reasons" autocomplete="off" [value]="draft().reason" (input)="change({ reason: reason.value })" />
          <datalist id="add-reasons">
            @for (label of reasons(); track label) { <option [value]="label"></option> }
          </datalist>
        </div>
        @if (problem()) { <p class="notice bad" role="alert">{{ problem() }}</p> }
        <footer>
          <span class="muted">What you type is kept if you close this.</span>
          <button type="button" (click)="dialog.close()">Cancel</button>
          <button type="submit" class="primary" [disabled]="isBusy()">{{ isBusy() ? 'Adding…' : 'Add action' }}</button>
        </footer>
      </form>
    </dialog>
  `,
})
export class QuickAdd implements AfterViewInit {
  private readonly api = inject(Api);
  private readonly router = inject(Router);
  private readonly toasts = inject(Toasts);
  private readonly link = inject(FrameLink);
  private readonly session = inject(Session);
  private readonly userId = this.session.person()?.user_id ?? '';
  readonly closed = output();
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');
  private readonly account = viewChild.required<ElementRef<HTMLInputElement>>('account');
  private readonly what = viewChild.required<ElementRef<HTMLInputElement>>('what');

  protected readonly priorities = priorityValues;
  protected readonly words = inWords;
  protected readonly draft = signal<Draft>(readDraft(this.userId));
  private readonly begun = this.api.get('/actions/starting');
  /** What the admins offer, and what it starts with; null until it has come. */
  protected readonly starting = signal<Schemas['Starting'] | null>(null);
  /** What is typed, and what is proposed where nothing was chosen. */
  protected readonly shown = computed(() => proposed(this.draft(), this.starting()));
  protected readonly reasons = computed(() => {
    const type = this.shown().actionType;
    return this.starting()?.reasons.filter((one) => one.action_type === type).map((one) => one.label) ?? [];
  });
  /** Whom the person may give it to; empty for who adds to their own. */
  protected readonly people = signal<readonly Schemas['Workload'][]>([]);
  protected readonly found = signal<readonly AccountHit[]>([]);
  protected readonly at = signal(0);
  protected readonly options = computed(() => (this.draft().accountKey ? [] : this.found()));
  protected readonly isBusy = signal(false);
  protected readonly problem = signal('');
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  constructor() {
    inject(DestroyRef).onDestroy(() => clearTimeout(this.timer));
  }

  ngAfterViewInit(): void {
    this.dialog().nativeElement.showModal();
    this.begun.then(
      (starting) => this.starting.set(starting),
      (error: unknown) => this.problem.set(sentence(error)),
    );
    if (this.draft().accountKey) this.what().nativeElement.focus();
    else void this.takeOpenAccount();
    if (this.session.may('assign')) {
      this.api.get('/workload').then(
        (answer) => this.people.set(answer.items),
        (error: unknown) => this.problem.set(sentence(error)),
      );
    }
  }

  /** Prefilled from where the key was pressed: the account whose page is open. */
  private async takeOpenAccount(): Promise<void> {
    const tree = this.router.parseUrl(this.router.url);
    const key: unknown = tree.queryParams['account'];
    if (typeof key !== 'string' || !this.router.url.startsWith('/pages/account?')) return;
    try {
      const account = await this.api.get(`/accounts/${encodeURIComponent(key)}` as '/accounts/{account_key}');
      if (!this.account().nativeElement.value) this.choose(account);
    } catch {
      // the field stays empty and can be filled by hand
    }
  }

  protected change(values: Partial<Draft>): void {
    // a changed request is another request: a new key, or the service would refuse it as a conflict
    this.draft.update((draft) => ({ ...draft, ...values, key: requestKey() }));
    keepDraft(this.userId, this.draft());
  }

  protected findAccounts(text: string): void {
    this.change({ accountName: text, accountKey: '' });
    this.at.set(0);
    clearTimeout(this.timer);
    const turn = ++this.asked;
    if (!text.trim()) {
      this.found.set([]);
      return;
    }
    this.timer = setTimeout(() => {
      this.api.get('/search', { text: text.trim(), limit: 6 }).then(
        (answer) => {
          if (turn === this.asked) this.found.set(answer.accounts);
        },
        (error: unknown) => this.problem.set(sentence(error)),
      );
    }, WAIT_MS);
  }

  protected onAccountKey(event: KeyboardEvent): void {
    const count = this.options().length;
    if (!count) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      this.at.set((this.at() + (event.key === 'ArrowDown' ? 1 : count - 1)) % count);
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      const one = this.options()[this.at()];
      if (one) this.choose(one);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      this.found.set([]);
    }
  }

  /** A name typed to its end counts as chosen. */
  protected onAccountBlur(): void {
    const typed = this.draft().accountName.trim().toLowerCase();
    const exact = this.options().find((one) => one.account_name.toLowerCase() === typed);
    if (exact) this.choose(exact);
  }

  protected choose(account: Pick<AccountHit, 'account_key' | 'account_name'>): void {
    this.change({ accountKey: account.account_key, accountName: account.account_name });
    this.found.set([]);
    this.problem.set('');
    this.what().nativeElement.focus();
  }

  protected async send(): Promise<void> {
    if (this.isBusy()) return;
    const draft = this.draft();
    if (!draft.accountKey) {
      this.problem.set('Which account is it for? Choose one from the list.');
      this.account().nativeElement.focus();
      return;
    }
    if (!draft.title.trim()) {
      this.problem.set('What is to be done? A few words are enough.');
      this.what().nativeElement.focus();
      return;
    }
    this.isBusy.set(true);
    this.problem.set('');
    try {
      const whole = proposed(draft, await this.begun);
      const made = await this.api.post(
        '/actions',
        {
          account_key: draft.accountKey,
          title: draft.title,
          action_type: whole.actionType as Schemas['ActionType'],
          intervention: whole.intervention as Schemas['Intervention'],
          priority: whole.priority as Schemas['Priority'],
          due_date: whole.dueDate || null,
          reason: draft.reason.trim() || null,
          owner_user_id: draft.ownerId || null,
        },
        draft.key,
      );
      keepDraft(this.userId, null);
      this.draft.set(emptyDraft());
      this.dialog().nativeElement.close();
      this.toasts.tell({ text: `Added: ${made.title}`, link: { label: 'Open', page: 'actions', query: { action: made.action_id } } });
      this.link.rerun();
    } catch (error) {
      this.problem.set(sentence(error));
    } finally {
      this.isBusy.set(false);
    }
  }
}
