import {
  AfterViewInit, ChangeDetectionStrategy, Component, ElementRef, Injector, afterNextRender, computed, inject, input,
  linkedSignal, signal, viewChild,
} from '@angular/core';
import { Router } from '@angular/router';

import { codeOf, sentence } from '../api/problem';
import { PROVIDER_PROBLEMS, Provider } from './provider';
import { Session, isOrchestrators, safeNext } from './session';

@Component({
  selector: 'app-sign-in',
  imports: [Provider],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'entrance' },
  template: `
    <main class="entrance-card">
      <h1>Account intelligence</h1>
      <p class="muted">See the risk, act on it, record the outcome.</p>
      @if (session.hasEnded() && !message()) {
        <p class="notice" role="status">Your session has ended. Sign in again: the page you were on comes back.</p>
      }
      <form (submit)="$event.preventDefault(); signIn(email.value, password.value, code()?.nativeElement?.value)">
        <label for="email">E-mail</label>
        <input id="email" #email type="email" name="email" autocomplete="username" required [attr.aria-describedby]="message() ? 'sign-in-problem' : null" />
        <label for="password">Password</label>
        <input id="password" #password type="password" name="password" autocomplete="current-password" required />
        @if (needsCode()) {
          <label for="code">Code from your authenticator app</label>
          <input id="code" #code type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="10" required />
        }
        @if (message(); as text) {
          <p class="notice" [class.bad]="!isCodeMissing()" role="alert" id="sign-in-problem">{{ text }}</p>
        }
        <button class="primary" type="submit" [disabled]="isBusy()">{{ isBusy() ? 'Signing in…' : 'Sign in' }}</button>
      </form>
      <app-provider [next]="wanted()" />
    </main>
  `,
})
export class SignIn implements AfterViewInit {
  protected readonly session = inject(Session);
  private readonly router = inject(Router);
  private readonly email = viewChild.required<ElementRef<HTMLInputElement>>('email');
  private readonly password = viewChild.required<ElementRef<HTMLInputElement>>('password');

  private readonly injector = inject(Injector);
  protected readonly code = viewChild<ElementRef<HTMLInputElement>>('code');

  /** Where the person wanted to go, from the address. */
  readonly next = input<string>();
  protected readonly wanted = computed(() => safeNext(this.next()));
  /** What went wrong at the identity provider, from the address. */
  readonly problem = input<string>();
  protected readonly isBusy = signal(false);
  protected readonly message = linkedSignal(() => PROVIDER_PROBLEMS[this.problem() ?? ''] ?? '');
  /** Asked for once the service has said so; the first time it is no mistake of the person's. */
  protected readonly needsCode = signal(false);
  protected readonly isCodeMissing = signal(false);

  ngAfterViewInit(): void {
    this.email().nativeElement.focus();
  }

  protected async signIn(email: string, password: string, code = ''): Promise<void> {
    if (this.isBusy()) return;
    this.isBusy.set(true);
    this.message.set('');
    try {
      await this.session.signIn(email, password, code || null);
      const next = this.wanted();
      if (isOrchestrators(next)) location.assign(next);
      else await this.router.navigateByUrl(next, { replaceUrl: true });
    } catch (error) {
      this.message.set(sentence(error));
      this.isCodeMissing.set(codeOf(error) === 'second_factor_needed' && !code);
      if (this.isCodeMissing()) this.needsCode.set(true);
      afterNextRender(() => this.focusAgain(), { injector: this.injector });
    } finally {
      this.isBusy.set(false);
    }
  }

  private focusAgain(): void {
    const field = (this.code() ?? this.password()).nativeElement;
    field.focus();
    field.select();
  }
}
