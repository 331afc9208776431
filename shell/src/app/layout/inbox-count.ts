import { DestroyRef, Injectable, effect, inject, signal, untracked } from '@angular/core';

import { Api } from '../api/client';
import { FrameLink } from '../frame/frame-link';

const EVERY_MS = 30_000;
const AFTER_A_RUN_MS = 800;

/** How many notices are unread: asked now and then, when the tab is looked at again, and after the page did something. */
@Injectable({ providedIn: 'root' })
export class InboxCount {
  private readonly api = inject(Api);
  private readonly link = inject(FrameLink);
  readonly unread = signal(0);
  private soon: ReturnType<typeof setTimeout> | undefined;
  private isWatching = false;

  constructor() {
    const timer = setInterval(() => void this.refresh(), EVERY_MS);
    const seen = () => void this.refresh();
    document.addEventListener('visibilitychange', seen);
    effect(() => {
      if (this.link.runs() === 0) return;
      untracked(() => {
        clearTimeout(this.soon);
        this.soon = setTimeout(() => void this.refresh(), AFTER_A_RUN_MS);
      });
    });
    inject(DestroyRef).onDestroy(() => {
      clearInterval(timer);
      clearTimeout(this.soon);
      document.removeEventListener('visibilitychange', seen);
    });
  }

  watch(isWatching: boolean): void {
    this.isWatching = isWatching;
    if (isWatching) void this.refresh();
    else this.unread.set(0);
  }

  private async refresh(): Promise<void> {
    if (!this.isWatching || document.visibilityState === 'hidden') return;
    try {
      this.unread.set((await this.api.get('/notices', { only_unread: true, limit: 1 })).unread_count);
    } catch {
      // the count that is shown stays; an ended session is told by the interceptor
    }
  }
}
