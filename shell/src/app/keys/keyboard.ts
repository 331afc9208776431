import { Injectable, effect, inject } from '@angular/core';

import { FrameLink } from '../frame/frame-link';

export interface Shortcut {
  /** As `KeyboardEvent.key`, lower case; `mod+k` needs Ctrl or Command, `g d` is typed one after the other. */
  readonly keys: string;
  readonly does: string;
  readonly run: () => void;
}

const CHAIN_MS = 1_200;

function isTyping(target: EventTarget | null): boolean {
  // an element of the frame is of another window's class: its name is asked for, not its type
  const element = target as Partial<HTMLElement> | null;
  const name = element?.tagName?.toLowerCase();
  return name === 'input' || name === 'textarea' || name === 'select' || element?.isContentEditable === true;
}

/** Shortcuts that work in the shell and in the frame alike. What a page has used itself is left alone. */
@Injectable({ providedIn: 'root' })
export class Keyboard {
  private readonly link = inject(FrameLink);
  private shortcuts: readonly Shortcut[] = [];
  private first: { key: string; at: number } | null = null;

  constructor() {
    const press = (event: KeyboardEvent) => this.press(event);
    window.addEventListener('keydown', press);
    effect((onCleanup) => {
      const frame = this.link.window();
      frame?.addEventListener('keydown', press);
      onCleanup(() => frame?.removeEventListener('keydown', press));
    });
  }

  use(shortcuts: readonly Shortcut[]): void {
    this.shortcuts = shortcuts;
  }

  press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.repeat) return;
    const key = event.key.toLowerCase();
    const hasMod = event.ctrlKey || event.metaKey;
    if (!hasMod && (isTyping(event.target) || document.querySelector('dialog[open]'))) return;
    const chained = this.first && event.timeStamp - this.first.at < CHAIN_MS ? `${this.first.key} ${key}` : null;
    this.first = null;
    const wanted = hasMod ? `mod+${key}` : key;
    const found =
      this.shortcuts.find((one) => one.keys === chained) ?? this.shortcuts.find((one) => one.keys === wanted);
    if (found) {
      event.preventDefault();
      found.run();
    } else if (!hasMod && this.shortcuts.some((one) => one.keys.startsWith(`${key} `))) {
      this.first = { key, at: event.timeStamp };
    }
  }
}
