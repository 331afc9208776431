import { AfterViewInit, ChangeDetectionStrategy, Component, ElementRef, inject, input, signal, viewChild } from '@angular/core';
import { Router } from '@angular/router';

import { sentence } from '../api/problem';
import { Session, safeNext } from './session';

@Component({
  selector: 'app-sign-in',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'entrance' },
  template: `
    <main class="entrance-card">
      <h1>Account intelligence</h1>
      <p class="muted">See the risk, act on it, record the outcome.</p>
      @if (session.hasEnded() && !problem()) {
        <p class="notice" role="status">Your session has ended. Sign in again: the page you were on comes back.</p>
      }
      <form (submit)="$event.preventDefault(); signIn(email.value, password.value)">
        <label for="email">E-mail</label>
        <input id="email" #email type="email" name="email" autocomplete="username" required [attr.aria-describedby]="problem() ? 'sign-in-problem' : null" />
        <label for="password">Password</label>
        <input id="password" #password type="password" name="password" autocomplete="current-password" required />
        @if (problem(); as text) {
          <p class="notice bad" role="alert" id="sign-in-problem">{{ text }}</p>
        }
        <button class="primary" type="submit" [disabled]="isBusy()">{{ isBusy() ? 'Signing in…' : 'Sign in' }}</button>
      </form>
    </main>
  `,
})
export class SignIn implements AfterViewInit {
  protected readonly session = inject(Session);
  private readonly router = inject(Router);
  private readonly email = viewChild.required<ElementRef<HTMLInputElement>>('email');
  private readonly password = viewChild.required<ElementRef<HTMLInputElement>>('password');

  /** Where the person wanted to go, from the address. */
  readonly next = input<string>();
  protected readonly isBusy = signal(false);
  protected readonly problem = signal('');

  ngAfterViewInit(): void {
    this.email().nativeElement.focus();
  }

  protected async signIn(email: string, password: string): Promise<void> {
    if (this.isBusy()) return;
    this.isBusy.set(true);
    this.problem.set('');
    try {
      await this.session.signIn(email, password);
      await this.router.navigateByUrl(safeNext(this.next()), { replaceUrl: true });
    } catch (error) {
      this.problem.set(sentence(error));
      const field = this.password().nativeElement;
      field.focus();
      field.select();
    } finally {
      this.isBusy.set(false);
    }
  }
}
