import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';

import { Api, type Schemas } from '../api/client';
import { poll } from '../api/poll';
import { longDay } from '../dates/day';
import { freshness } from './freshness';

const EVERY_MS = 60_000;

/** How fresh the figures are, as a dot and a word in the bar; opened, each source against its promise. */
@Component({
  selector: 'app-freshness',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @if (isAsked()) {
      <button type="button" class="quiet" popovertarget="freshness" [attr.aria-label]="fresh().word + ': ' + fresh().said" [title]="fresh().word + ': ' + fresh().said">
        <span class="dot" [attr.data-state]="fresh().state"></span><span>{{ fresh().word }}</span>
      </button>
    }
    <!-- a click into the page is out of a popover's own sight -->
    <div #details popover class="menu sources" id="freshness" role="group" aria-label="How fresh the figures are" (window:blur)="details.hidePopover()">
      <p><strong>{{ fresh().word }}</strong>: {{ fresh().said }}.</p>
      @if (answer()?.publication; as published) {
        <p class="muted">The last complete day in them is {{ day(published.as_of_date) }}. Actions and notes are always up to date.</p>
      }
      @if (fresh().sources.length) {
        <table>
          <thead><tr><th scope="col">Source</th><th scope="col">Last good load</th><th scope="col">Promised</th><th scope="col">State</th></tr></thead>
          <tbody>
            @for (one of fresh().sources; track one.name) {
              <tr>
                <th scope="row">{{ one.name }}</th>
                <td>{{ one.loaded }}</td>
                <td>{{ one.promise }}</td>
                <td><span class="dot" [attr.data-state]="one.state"></span>{{ one.word }}</td>
              </tr>
            }
          </tbody>
        </table>
      }
    </div>
  `,
})
export class FreshnessMark {
  private readonly api = inject(Api);
  protected readonly day = longDay;
  /** Nothing is said before the service was asked. */
  protected readonly isAsked = signal(false);
  protected readonly answer = signal<Schemas['Pipeline'] | null>(null);
  protected readonly fresh = computed(() => freshness(this.answer()));

  constructor() {
    poll(EVERY_MS, async () => {
      // while the service is away nothing is claimed: what it said before grows older than it looks
      this.answer.set(await this.api.peek('/pipeline').catch(() => null));
      this.isAsked.set(true);
    });
  }
}
