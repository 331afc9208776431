import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Session } from '../session/session';
import { placesOf } from './places';

/** The answer to an address that is no page: one sentence, and the pages that the person has. */
@Component({
  selector: 'app-no-such-page',
  imports: [RouterLink],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'no-such-page' },
  template: `
    <h1>There is no page at this address.</h1>
    <p>It may have been mistyped, or the page has moved. These are the pages there are:</p>
    <p>
      @for (place of places(); track place.address) {
        <a [routerLink]="['/pages', place.address]" replaceUrl>{{ place.title }}</a>
      }
      <a routerLink="/pages/inbox" replaceUrl>Inbox</a>
    </p>
  `,
})
export class NoSuchPage {
  private readonly session = inject(Session);
  protected readonly places = computed(() => placesOf(this.session.role()));
}
