import { ChangeDetectionStrategy, Component, DestroyRef, inject, input } from '@angular/core';
import { Router } from '@angular/router';

import { Session, safeNext } from './session';

const AGAIN_MS = 5_000;

/** The service does not answer: said calmly, tried again by itself. */
@Component({
  selector: 'app-away',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'entrance' },
  template: `
    <main class="entrance-card">
      <h1>Account intelligence</h1>
      <p role="status">The service does not answer right now. This page tries again by itself every few seconds.</p>
      <button type="button" (click)="retry()">Try now</button>
    </main>
  `,
})
export class Away {
  private readonly session = inject(Session);
  private readonly router = inject(Router);
  readonly next = input<string>();

  constructor() {
    const timer = setInterval(() => void this.retry(), AGAIN_MS);
    inject(DestroyRef).onDestroy(() => clearInterval(timer));
  }

  protected async retry(): Promise<void> {
    try {
      await this.session.load();
      await this.router.navigateByUrl(safeNext(this.next()), { replaceUrl: true });
    } catch {
      // still away
    }
  }
}
