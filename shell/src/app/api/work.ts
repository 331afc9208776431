import { signal } from '@angular/core';

import { codeOf, sentence } from './problem';

/**
 * What a screen asks of the service, for its template: whether it is at it, and what went wrong. `T` is what was asked
 * for where the service may want a fresh proof of who it is first.
 */
export class Work<T = never> {
  readonly isBusy = signal(false);
  readonly problem = signal('');
  /** What waits for a fresh proof. */
  readonly waiting = signal<T | null>(null);

  /** Do it, and say what went wrong. */
  async run(work: () => Promise<void>): Promise<void> {
    this.isBusy.set(true);
    this.problem.set('');
    try {
      await work();
    } catch (error) {
      this.problem.set(sentence(error));
    } finally {
      this.isBusy.set(false);
    }
  }

  /** Within `run`: ask, or let `wanted` wait when a fresh proof is needed. */
  async proven(wanted: T, ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask();
      this.waiting.set(null);
    } catch (error) {
      if (codeOf(error) !== 'sign_in_again') throw error;
      this.waiting.set(wanted);
    }
  }
}
