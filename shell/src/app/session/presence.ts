import { DestroyRef, Injectable, effect, inject } from '@angular/core';

import { FrameLink } from '../frame/frame-link';

const INPUT = ['keydown', 'pointerdown', 'input'] as const;

/**
 * Whether somebody is there, by what they type and click in the shell and in the frame. Whoever writes a long note asks
 * the service for nothing meanwhile, and their session would end for idleness before they send it.
 */
@Injectable({ providedIn: 'root' })
export class Presence {
  private wasThere = false;

  constructor() {
    const link = inject(FrameLink);
    const note = () => (this.wasThere = true);
    // on the way down: a page may keep what it uses to itself
    const listen = (where: Window) => {
      for (const kind of INPUT) where.addEventListener(kind, note, { capture: true, passive: true });
      return () => {
        for (const kind of INPUT) where.removeEventListener(kind, note, { capture: true });
      };
    };
    inject(DestroyRef).onDestroy(listen(window));
    effect((onCleanup) => {
      const frame = link.window();
      if (frame) onCleanup(listen(frame));
    });
  }

  /** Whether there was input since this was last asked. */
  sinceLastAsked(): boolean {
    const wasThere = this.wasThere;
    this.wasThere = false;
    return wasThere;
  }
}
