import { AfterViewInit, ChangeDetectionStrategy, Component, DestroyRef, ElementRef, computed, inject, output, signal, viewChild } from '@angular/core';
import { Router } from '@angular/router';

import { Api, type Schemas, requestKey } from '../api/client';
import { sentence } from '../api/problem';
import { Work } from '../api/work';
import { type WorkingDays, count, shortDay } from '../dates/day';
import { FrameLink } from '../frame/frame-link';
import { type Toast, Toasts } from '../layout/toasts';
import { Session } from '../session/session';
import { ActionForm } from './action-form';
import { Combobox } from './combobox';
import { type Draft, emptyDraft, keepDraft, newAction, readDraft } from './draft';
import { playbookChoice } from './playbook-choice';
import { PlaybookStart } from './playbook-start';

const WAIT_MS = 140;

/** A new action, or a playbook, from anywhere: on the account that is open, or on one found by name. */
@Component({
  selector: 'app-quick-add',
  imports: [ActionForm, Combobox, PlaybookStart],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <dialog #dialog class="panel add-panel" aria-labelledby="add-title" (cancel)="$event.preventDefault(); closed.emit()" (close)="closed.emit()">
      <div class="head">
        <h2 id="add-title">{{ isPlaybook() ? 'Start a playbook' : 'Add action' }}</h2>
        @if (mayStart) {
          <div class="segments" role="radiogroup" aria-label="What to add">
            <label><input type="radio" name="add-kind" [checked]="!isPlaybook()" (change)="change({ kind: 'action' })" /><span>One action</span></label>
            <label><input type="radio" name="add-kind" [checked]="isPlaybook()" (change)="change({ kind: 'playbook' })" /><span>Playbook</span></label>
          </div>
        }
      </div>
      <form novalidate (submit)="$event.preventDefault(); send()" (keydown.control.enter)="$event.preventDefault(); send()" (keydown.meta.enter)="$event.preventDefault(); send()">
        <div class="form-part body">
          <div class="field">
            <label for="add-account">Account</label>
            <app-combobox
              #account
              fieldId="add-account"
              label="Accounts"
              placeholder="Type a name or a domain"
              [text]="draft().accountName"
              [options]="accounts()"
              [nothing]="noAccount()"
              (typed)="findAccounts($event)"
              (chosen)="choose($event.key, $event.title)"
            />
          </div>
          @if (isPlaybook()) {
            <app-playbook-start [draft]="draft()" [days]="days()" [choice]="choice" (changed)="change($event)" />
          } @else {
            <app-action-form [draft]="draft()" [starting]="starting()" [days]="days()" (changed)="change($event)" />
          }
        </div>
        @if (work.problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }
        <footer>
          <span class="muted">What you type is kept if you close this.</span>
          <button type="button" (click)="dialog.close()">Close</button>
          <button type="submit" class="primary" [disabled]="work.isBusy() || (isPlaybook() && !!choice.running())">{{ button() }}</button>
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
  private readonly account = viewChild.required<Combobox>('account');
  private readonly action = viewChild(ActionForm);
  private readonly playbook = viewChild(PlaybookStart);

  protected readonly mayStart = this.session.may('start_playbook');
  protected readonly draft = signal<Draft>(readDraft(this.userId));
  protected readonly isPlaybook = computed(() => this.mayStart && this.draft().kind === 'playbook');
  private readonly begun = this.api.get('/actions/starting');
  /** What the admins offer, and what it starts with; null until it has come. */
  protected readonly starting = signal<Schemas['Starting'] | null>(null);
  protected readonly days = computed<WorkingDays | null>(() => {
    const starting = this.starting();
    return starting && { today: starting.today, daysOff: new Set(starting.days_off) };
  });
  protected readonly choice = playbookChoice(this.draft, this.days);
  private readonly found = signal<readonly Schemas['AccountHit'][] | null>(null);
  protected readonly accounts = computed(() =>
    this.draft().accountKey ? [] : (this.found() ?? []).map((one) => ({ key: one.account_key, title: one.account_name, note: one.csm_name ?? '' })),
  );
  protected readonly noAccount = computed(() => {
    const typed = this.draft().accountName.trim();
    return typed && !this.draft().accountKey && this.found() ? `No account holds “${typed}”. Try fewer letters.` : '';
  });
  protected readonly work = new Work();
  protected readonly button = computed(() => {
    if (!this.isPlaybook()) return this.work.isBusy() ? 'Adding…' : 'Add action';
    const steps = this.choice.steps().length;
    return this.work.isBusy() ? 'Starting…' : steps ? `Start: ${count(steps, 'action')}` : 'Start';
  });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  constructor() {
    inject(DestroyRef).onDestroy(() => clearTimeout(this.timer));
  }

  ngAfterViewInit(): void {
    this.dialog().nativeElement.showModal();
    this.begun.then(
      (starting) => this.starting.set(starting),
      (error: unknown) => this.work.problem.set(sentence(error)),
    );
    if (this.draft().accountKey) this.goOn();
    else {
      this.account().focus();
      void this.takeOpenAccount();
    }
  }

  /** Prefilled from where the key was pressed: the account whose page is open. */
  private async takeOpenAccount(): Promise<void> {
    const tree = this.router.parseUrl(this.router.url);
    const key: unknown = tree.queryParams['account'];
    if (typeof key !== 'string' || !this.router.url.startsWith('/pages/account?')) return;
    try {
      const account = await this.api.get(`/accounts/${encodeURIComponent(key)}` as '/accounts/{account_key}');
      if (!this.draft().accountName) this.choose(account.account_key, account.account_name);
    } catch {
      // the field stays empty and can be filled by hand
    }
  }

  protected change(values: Partial<Draft>): void {
    // a changed request is another request: a new key, or the service would refuse it as a conflict
    this.draft.update((draft) => ({ ...draft, ...values, key: requestKey() }));
    keepDraft(this.userId, this.draft());
    this.work.problem.set('');
  }

  protected findAccounts(text: string): void {
    this.change({ accountName: text, accountKey: '' });
    clearTimeout(this.timer);
    const turn = ++this.asked;
    if (!text.trim()) {
      this.found.set(null);
      return;
    }
    this.timer = setTimeout(() => {
      this.api.get('/search', { text: text.trim(), limit: 6 }).then(
        (answer) => {
          // answers may overtake one another: only that to the newest question counts
          if (turn === this.asked) this.found.set(answer.accounts);
        },
        (error: unknown) => this.work.problem.set(sentence(error)),
      );
    }, WAIT_MS);
  }

  protected choose(accountKey: string, accountName: string): void {
    // who was chosen there is nobody here
    const isAnother = accountKey !== this.draft().accountKey;
    this.change({ accountKey, accountName, ...(isAnother ? { stakeholder: '' } : {}) });
    this.found.set(null);
    this.goOn();
  }

  /** To the first field after the account: at once, so that what is typed next goes where the eye is. */
  private goOn(): void {
    (this.isPlaybook() ? this.playbook() : this.action())?.focus();
  }

  protected async send(): Promise<void> {
    if (this.work.isBusy() || (this.isPlaybook() && this.choice.running())) return;
    const draft = this.draft();
    if (!draft.accountKey) {
      this.work.problem.set('Which account is it for? Choose one from the list.');
      this.account().focus();
      return;
    }
    if (this.isPlaybook() && !this.choice.chosen()) {
      this.work.problem.set('Which playbook? Choose one, and see its steps before it starts.');
      this.playbook()?.focus();
      return;
    }
    if (this.isPlaybook() && this.choice.taker() === '') {
      this.work.problem.set('Who takes over? Choose the person who gets these steps.');
      return;
    }
    await this.work.run(async () => {
      const done = this.isPlaybook() ? await this.start(draft) : await this.add(draft);
      keepDraft(this.userId, null);
      this.draft.set(emptyDraft());
      this.dialog().nativeElement.close();
      this.toasts.tell(done);
      this.link.rerun();
    });
  }

  private async add(draft: Draft): Promise<Toast> {
    const made = await this.api.post('/actions', newAction(draft, await this.begun), draft.key);
    const due = made.due_date ? `, due ${shortDay(made.due_date)}` : '';
    return { text: `Added: ${made.title}${due}`, link: { label: 'Open', page: 'actions', query: { action: made.action_id } } };
  }

  private async start(draft: Draft): Promise<Toast> {
    const address = `/playbooks/${encodeURIComponent(draft.playbookId)}/start` as '/playbooks/{playbook_id}/start';
    const body = { account_key: draft.accountKey, starts_on: this.choice.startsOn() || null, taker_user_id: this.choice.taker() };
    const { run, total } = await this.api.post(address, body, draft.key);
    const first = run.steps[0]?.due_date;
    return {
      text: `${run.playbook_name} started on ${run.account_name}: ${count(total, 'action')}${first ? `, the first due ${shortDay(first)}` : ''}`,
      link: { label: 'Open the account', page: 'account', query: { account: run.account_key } },
    };
  }
}
