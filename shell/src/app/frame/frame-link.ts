import { Injectable, signal } from '@angular/core';

/** What the rest of the shell knows of the frame, and may ask of it. */
@Injectable({ providedIn: 'root' })
export class FrameLink {
  /** Counts finished runs of the framed page: something may have been read or written. */
  readonly runs = signal(0);
  readonly isRunning = signal(false);
  /** The frame's own window, for its keyboard; told at every load, since the object stays and its listeners do not. */
  readonly window = signal<Window | null>(null, { equal: () => false });
  /** Set by the frame while it is there. */
  rerun: () => void = () => undefined;
  focus: () => void = () => undefined;
}
