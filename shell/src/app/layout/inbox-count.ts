import { DestroyRef, Injectable, effect, inject, signal, untracked } from '@angular/core';

import { Api } from '../api/client';
import { poll } from '../api/poll';
import { FrameLink } from '../frame/frame-link';
import { Presence } from '../session/presence';

const EVERY_MS = 30_000;
const AFTER_A_RUN_MS = 800;

/**
 * How many notices are unread: asked now and then, when the tab is looked at again, and after the page did something.
 * That is also how the service hears that somebody is there who only types.
 */
@Injectable()
export class InboxCount {
  private readonly api = inject(Api);
  private readonly link = inject(FrameLink);
  private readonly presence = inject(Presence);
  readonly unread = signal(0);
  private soon: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    poll(EVERY_MS, () => this.refresh());
    effect(() => {
      if (this.link.runs() === 0) return;
      untracked(() => {
        clearTimeout(this.soon);
        this.soon = setTimeout(() => void this.refresh(), AFTER_A_RUN_MS);
      });
    });
    inject(DestroyRef).onDestroy(() => clearTimeout(this.soon));
  }

  private async refresh(): Promise<void> {
    try {
      const query = { only_unread: true, limit: 1 };
      const answer = this.presence.sinceLastAsked() ? this.api.get('/notices', query) : this.api.peek('/notices', query);
      this.unread.set((await answer).unread_count);
    } catch {
      // the count that is shown stays; an ended session is told by the interceptor
    }
  }
}
