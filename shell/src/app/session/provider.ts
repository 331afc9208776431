import { ChangeDetectionStrategy, Component, computed, inject, input, signal } from '@angular/core';

import { Api } from '../api/client';

/** What a failed sign-in by the provider says; the codes are the service's, in the address it leads back to. */
export const PROVIDER_PROBLEMS: Readonly<Record<string, string>> = {
  identity_provider_failed: 'That sign-in did not work out. Try again, or use your password.',
  not_authenticated: 'Nobody here has the address that was vouched for. Ask an admin to add you.',
  second_factor_needed: 'You have an authenticator app here: sign in with your password and its code.',
};

/** The way in by the company's own identity provider, where there is one. A link: the browser itself goes there. */
@Component({
  selector: 'app-provider',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @if (name(); as provider) {
      <a class="button" [href]="address()">Sign in with {{ provider }}</a>
    }
  `,
})
export class Provider {
  private readonly api = inject(Api);
  protected readonly name = signal<string | null>(null);

  /** Where it leads back to. */
  readonly next = input('/');
  /** Whether the person must prove themselves there again, however long ago they did. */
  readonly isFresh = input(false);
  protected readonly address = computed(
    () => `/api/session/provider?${new URLSearchParams({ next: this.next(), fresh: String(this.isFresh()) })}`,
  );

  constructor() {
    // without an answer the password is the way
    this.api.get('/session/ways').then((ways) => this.name.set(ways.provider), () => undefined);
  }
}
