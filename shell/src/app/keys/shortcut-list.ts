import { AfterViewInit, ChangeDetectionStrategy, Component, ElementRef, input, output, viewChild } from '@angular/core';

import type { Shortcut } from './keyboard';

@Component({
  selector: 'app-shortcut-list',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <dialog #dialog class="panel narrow" aria-labelledby="shortcuts-title" (cancel)="$event.preventDefault(); closed.emit()" (close)="closed.emit()">
      <div class="head"><h2 id="shortcuts-title">Keyboard</h2></div>
      <dl class="keys">
        @for (one of shortcuts(); track one.keys) {
          <div>
            <dt>{{ one.does }}</dt>
            <dd>
              @for (key of written(one.keys); track $index) { <kbd>{{ key }}</kbd> }
            </dd>
          </div>
        }
        <div><dt>Close what is open</dt><dd><kbd>Esc</kbd></dd></div>
      </dl>
      <footer><button type="button" (click)="dialog.close()">Close</button></footer>
    </dialog>
  `,
})
export class ShortcutList implements AfterViewInit {
  readonly shortcuts = input.required<readonly Shortcut[]>();
  readonly closed = output();
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');

  ngAfterViewInit(): void {
    this.dialog().nativeElement.showModal();
  }

  protected written(keys: string): string[] {
    return keys.split(/[ +]/).map((key) => (key === 'mod' ? (navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl') : key.toUpperCase()));
  }
}
