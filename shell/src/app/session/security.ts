import { ChangeDetectionStrategy, Component, computed, inject, input, signal } from '@angular/core';
import { Router, RouterLink } from '@angular/router';

import { Api, type Schemas } from '../api/client';
import { Work } from '../api/work';
import { FactorRoles } from './factor-roles';
import { Proof } from './proof';
import { QrPicture } from './qr-picture';
import { Session, safeNext } from './session';
import { Tokens } from './tokens';

type OpenSession = Schemas['OpenSession'];

/** A person's second factor, the places where they are signed in, and their tokens for programs; for admins, whose role needs a factor. */
@Component({
  selector: 'app-security',
  imports: [FactorRoles, Proof, QrPicture, RouterLink, Tokens],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'entrance' },
  template: `
    <main class="entrance-card wide">
      <h1>Sign-in and security</h1>
      @if (work.problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }

      <section aria-labelledby="factor">
        <h2 id="factor">Authenticator app</h2>
        @if (mustEnrol()) { <p class="notice">Your role needs a second factor. Set one up: then everything else works again.</p> }
        @if (work.waiting()) {
          <p>Prove first that it is you.</p>
          <app-proof (proven)="work.waiting.set(null); begin()" />
        } @else if (made(); as one) {
          <p>Point your authenticator app at this picture, or type the key. Both are shown this once.</p>
          <app-qr-picture [text]="one.uri" label="QR code for your authenticator app; the key below says the same" />
          <p class="secret" translate="no">{{ grouped(one.secret) }}</p>
          <form (submit)="$event.preventDefault(); finish(code.value)">
            <label for="new-code">Code that the app shows now</label>
            <input id="new-code" #code type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="10" required />
            <button class="primary" type="submit" [disabled]="work.isBusy()">Turn it on</button>
          </form>
        } @else if (factor()?.is_enrolled) {
          <p>Set up: signing in asks for a code. If you lose the app, an administrator can take it away.</p>
        } @else if (factor()) {
          <p>Not set up. With an app, a stolen password alone opens nothing.</p>
          <button type="button" class="primary" [disabled]="work.isBusy()" (click)="begin()">Set up an authenticator app</button>
        }
      </section>

      @if (!mustEnrol()) {
        <section aria-labelledby="places">
          <h2 id="places">Where you are signed in</h2>
          <ul class="places">
            @for (one of sessions(); track one.session_id) {
              <li>
                <span>{{ one.is_current ? 'This browser' : browser(one.user_agent) }}<span class="muted"> · {{ one.address ?? 'unknown address' }} · last used {{ when(one.last_seen_at) }}</span></span>
                @if (!one.is_current) { <button type="button" [attr.aria-label]="'End the session in ' + browser(one.user_agent)" (click)="end(one)">End</button> }
              </li>
            }
          </ul>
          @if (sessions().length > 1) { <button type="button" (click)="endOthers()">End all others</button> }
        </section>
        <section aria-labelledby="tokens">
          <h2 id="tokens">Tokens for programs</h2>
          <app-tokens />
        </section>
        @if (session.may('manage_users')) {
          <section aria-labelledby="roles">
            <h2 id="roles">Who needs a second factor</h2>
            <app-factor-roles />
          </section>
        }
        <a routerLink="/">Back to work</a>
      } @else {
        <button type="button" (click)="session.signOut()">Sign out</button>
      }
    </main>
  `,
})
export class Security {
  private readonly api = inject(Api);
  private readonly router = inject(Router);
  protected readonly session = inject(Session);
  readonly next = input<string>();
  protected readonly factor = signal<Schemas['SecondFactorState'] | null>(null);
  protected readonly made = signal<Schemas['NewSecondFactor'] | null>(null);
  protected readonly sessions = signal<readonly OpenSession[]>([]);
  protected readonly work = new Work<'factor'>();
  protected readonly mustEnrol = computed(() => {
    const factor = this.factor();
    return factor !== null && factor.is_required && !factor.is_enrolled;
  });

  constructor() {
    void this.load();
  }

  protected begin(): Promise<void> {
    return this.work.run(() => this.work.proven('factor', async () => this.made.set(await this.api.post('/second-factor', {}))));
  }

  protected finish(code: string): Promise<void> {
    return this.work.run(async () => {
      const wasNeeded = this.mustEnrol();
      await this.api.post('/second-factor/confirm', { code });
      this.made.set(null);
      await this.session.load();
      if (wasNeeded) await this.router.navigateByUrl(safeNext(this.next()), { replaceUrl: true });
      else await this.load();
    });
  }

  protected end(one: OpenSession): Promise<void> {
    return this.work.run(async () => {
      await this.api.delete(`/sessions/${one.session_id}` as '/sessions/{session_id}');
      await this.load();
    });
  }

  protected endOthers(): Promise<void> {
    return this.work.run(async () => {
      await this.api.delete('/sessions');
      await this.load();
    });
  }

  protected grouped(secret: string): string {
    return secret.match(/.{1,4}/g)?.join(' ') ?? secret;
  }

  protected when(moment: string): string {
    return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment));
  }

  /** Family and system of a browser, as a person would say it. */
  protected browser(agent: string | null): string {
    const family = ['Edg', 'Firefox', 'Chrome', 'Safari'].find((name) => agent?.includes(`${name}/`));
    const system = ['Windows', 'Android', 'iPhone', 'Mac OS', 'Linux'].find((name) => agent?.includes(name));
    return family ? `${family === 'Edg' ? 'Edge' : family}${system ? ` on ${system}` : ''}` : 'Another browser';
  }

  private load(): Promise<void> {
    return this.work.run(async () => {
      this.factor.set(await this.api.get('/second-factor'));
      if (!this.mustEnrol()) this.sessions.set(await this.api.get('/sessions'));
    });
  }
}
