import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';

import { Api, type Schemas } from '../api/client';
import { Work } from '../api/work';
import { Proof } from './proof';

type Token = Schemas['ApiToken'];
type NewToken = Schemas['NewToken'];
type Scope = Token['scopes'][number];

const SCOPES: readonly { scope: Scope; label: string }[] = [
  { scope: 'read', label: 'Read, and take files' },
  { scope: 'actions', label: 'Work on actions' },
  { scope: 'suggestions', label: 'Answer suggestions' },
];

/** A person's tokens for programs: made with scopes, their secret shown once, listed, revoked. */
@Component({
  selector: 'app-tokens',
  imports: [Proof],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @if (work.problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }
    @if (made(); as one) {
      <p class="notice" role="status">Copy the token “{{ one.token.name }}” now: it is shown this once.</p>
      <p class="secret" translate="no">{{ one.secret }}</p>
      <button type="button" (click)="made.set(null)">I have copied it</button>
    }
    <ul class="places">
      @for (one of tokens(); track one.token_id) {
        <li>
          <span>{{ one.name }}<span class="muted"> · {{ inWords(one.scopes) }} · until {{ day(one.expires_at) }} · {{ one.last_used_at ? 'last used ' + day(one.last_used_at) : 'never used' }}</span></span>
          <button type="button" [attr.aria-label]="'Revoke the token ' + one.name" (click)="revoke(one)">Revoke</button>
        </li>
      } @empty { <li class="muted">None. A program that acts for you needs one.</li> }
    </ul>
    @if (work.waiting(); as wanted) {
      <p>Prove first that it is you.</p>
      <app-proof button="Make the token" (proven)="make(wanted)" />
    } @else {
      <form class="new-token" (submit)="$event.preventDefault(); make({ name: name.value, scopes: chosen(), days: +days.value })">
        <label for="token-name">New token for</label>
        <input id="token-name" #name type="text" maxlength="80" required placeholder="Reporting" />
        <fieldset>
          <legend>It may</legend>
          @for (one of scopes; track one.scope) {
            <label><input type="checkbox" [checked]="chosen().includes(one.scope)" (change)="toggle(one.scope)" />{{ one.label }}</label>
          }
        </fieldset>
        <label for="token-days">It works for</label>
        <select id="token-days" #days>
          <option value="30">30 days</option>
          <option value="90" selected>90 days</option>
          <option value="365">A year</option>
        </select>
        <button type="submit" [disabled]="work.isBusy()">Make a token</button>
      </form>
    }
  `,
})
export class Tokens {
  private readonly api = inject(Api);
  protected readonly scopes = SCOPES;
  protected readonly tokens = signal<readonly Token[]>([]);
  protected readonly chosen = signal<Scope[]>(['read']);
  protected readonly made = signal<Schemas['MadeToken'] | null>(null);
  protected readonly work = new Work<NewToken>();

  constructor() {
    void this.work.run(() => this.load());
  }

  protected toggle(scope: Scope): void {
    this.chosen.update((now) => (now.includes(scope) ? now.filter((one) => one !== scope) : [...now, scope]));
  }

  protected make(wanted: NewToken): Promise<void> {
    return this.work.run(async () => {
      await this.work.proven(wanted, async () => this.made.set(await this.api.post('/tokens', wanted)));
      await this.load();
    });
  }

  protected revoke(one: Token): Promise<void> {
    return this.work.run(async () => {
      await this.api.delete(`/tokens/${one.token_id}` as '/tokens/{token_id}');
      if (this.made()?.token.token_id === one.token_id) this.made.set(null);
      await this.load();
    });
  }

  protected inWords(scopes: readonly Scope[]): string {
    return SCOPES.filter((one) => scopes.includes(one.scope)).map((one) => one.label.toLowerCase()).join('; ');
  }

  protected day(moment: string): string {
    return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' }).format(new Date(moment));
  }

  private async load(): Promise<void> {
    this.tokens.set(await this.api.get('/tokens'));
  }
}
