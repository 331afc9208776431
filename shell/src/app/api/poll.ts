import { DestroyRef, inject } from '@angular/core';

/**
 * Ask now, every so often, and when the tab is looked at again; never while nobody looks. It ends with whatever calls
 * this while it is made. What is asked belongs in `Api.peek`, or an open tab would keep its session alive for ever.
 */
export function poll(everyMs: number, ask: () => Promise<void>): void {
  const look = () => {
    if (document.visibilityState !== 'hidden') void ask();
  };
  const timer = setInterval(look, everyMs);
  document.addEventListener('visibilitychange', look);
  inject(DestroyRef).onDestroy(() => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', look);
  });
  look();
}
