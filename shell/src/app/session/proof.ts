import { ChangeDetectionStrategy, Component, ElementRef, inject, input, output, signal, viewChild } from '@angular/core';

import { codeOf } from '../api/problem';
import { Work } from '../api/work';
import { Provider } from './provider';
import { Session } from './session';

/** The password again, and the code of who has an app: for what needs a recent sign-in. */
@Component({
  selector: 'app-proof',
  imports: [Provider],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <form (submit)="$event.preventDefault(); prove(password.value, code()?.nativeElement?.value)">
      <!-- for password managers -->
      <input type="text" name="email" autocomplete="username" [value]="session.person()?.email ?? ''" hidden readonly />
      <label for="proof-password">Password</label>
      <input id="proof-password" #password type="password" name="password" autocomplete="current-password" required />
      @if (needsCode()) {
        <label for="proof-code">Code from your authenticator app</label>
        <input id="proof-code" #code type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="10" required />
      }
      @if (work.problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }
      <button class="primary" type="submit" [disabled]="work.isBusy()">{{ button() }}</button>
    </form>
    <app-provider [next]="comesBackTo()" [isFresh]="true" />
  `,
})
export class Proof {
  protected readonly session = inject(Session);
  protected readonly code = viewChild<ElementRef<HTMLInputElement>>('code');
  readonly button = input('Go on');
  readonly proven = output();
  /** Where a proof at the identity provider leads back to. */
  readonly comesBackTo = input('/security');
  protected readonly work = new Work();
  protected readonly needsCode = signal(false);

  protected async prove(password: string, code = ''): Promise<void> {
    if (this.work.isBusy()) return;
    await this.work.run(async () => {
      try {
        await this.session.confirm(password, code || null);
      } catch (error) {
        if (codeOf(error) === 'second_factor_needed') this.needsCode.set(true);
        throw error;
      }
      this.proven.emit();
    });
  }
}
