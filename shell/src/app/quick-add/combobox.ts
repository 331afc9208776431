import { ChangeDetectionStrategy, Component, ElementRef, computed, input, output, signal, viewChild } from '@angular/core';

export interface Option {
  readonly key: string;
  readonly title: string;
  readonly note: string;
}

/**
 * A field with a list below it, led by the arrow keys. Where only what is in the list counts, the first is chosen by
 * Enter and a name typed to its end is taken; where any text counts (`isFree`), Enter takes only what an arrow chose.
 */
@Component({
  selector: 'app-combobox',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'combobox' },
  template: `
    <input
      #field
      role="combobox"
      aria-autocomplete="list"
      [id]="fieldId()"
      [attr.aria-controls]="fieldId() + '-list'"
      [attr.aria-expanded]="isListed()"
      [attr.aria-activedescendant]="isListed() && at() >= 0 ? fieldId() + '-' + at() : null"
      [attr.aria-required]="isFree() ? null : true"
      autocomplete="off"
      spellcheck="false"
      maxlength="200"
      [placeholder]="placeholder()"
      [value]="text()"
      (input)="onInput(field.value)"
      (click)="show()"
      (keydown)="onKey($event)"
      (blur)="onBlur()"
    />
    <div class="options" role="listbox" [id]="fieldId() + '-list'" [attr.aria-label]="label()" [hidden]="!isListed()">
      @for (one of options(); track one.key; let place = $index) {
        <!-- the field keeps the focus and handles the keys: the pattern of a combobox -->
        <!-- eslint-disable-next-line @angular-eslint/template/click-events-have-key-events, @angular-eslint/template/interactive-supports-focus -->
        <div class="hit" role="option" [id]="fieldId() + '-' + place" [attr.aria-selected]="place === at()" (pointerdown)="$event.preventDefault()" (pointermove)="at.set(place)" (click)="choose(one)">
          <span class="hit-title">{{ one.title }}</span><span class="hit-note">{{ one.note }}</span>
        </div>
      }
    </div>
    @if (isOpen() && !options().length && nothing(); as text) { <p class="options nothing" role="status">{{ text }}</p> }
  `,
})
export class Combobox {
  readonly fieldId = input.required<string>();
  /** Of the list. */
  readonly label = input.required<string>();
  readonly text = input.required<string>();
  readonly options = input.required<readonly Option[]>();
  readonly placeholder = input('');
  readonly isFree = input(false);
  /** Said in place of an empty list. */
  readonly nothing = input('');
  readonly typed = output<string>();
  readonly chosen = output<Option>();
  private readonly field = viewChild.required<ElementRef<HTMLInputElement>>('field');
  protected readonly isOpen = signal(false);
  protected readonly at = signal(-1);
  protected readonly isListed = computed(() => this.isOpen() && this.options().length > 0);

  focus(): void {
    this.field().nativeElement.focus();
  }

  protected show(): void {
    this.isOpen.set(true);
    this.at.set(this.isFree() ? -1 : 0);
  }

  protected onInput(text: string): void {
    this.show();
    this.typed.emit(text);
  }

  protected onKey(event: KeyboardEvent): void {
    const size = this.options().length;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (!this.isOpen()) this.show();
      else if (size) this.at.update((at) => (at < 0 ? (step > 0 ? 0 : size - 1) : (at + step + size) % size));
      document.getElementById(`${this.fieldId()}-${this.at()}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && !event.isComposing) {
      const one = this.isListed() ? this.options()[this.at()] : undefined;
      if (!one) return;
      event.preventDefault();
      this.choose(one);
    } else if (event.key === 'Escape' && this.isListed()) {
      // the list first, as everywhere; the next one closes the dialog
      event.preventDefault();
      this.isOpen.set(false);
    }
  }

  protected onBlur(): void {
    const typed = this.text().trim().toLowerCase();
    const exact = !this.isFree() && this.isListed() ? this.options().find((one) => one.title.toLowerCase() === typed) : undefined;
    this.isOpen.set(false);
    if (exact) this.choose(exact);
  }

  protected choose(one: Option): void {
    this.isOpen.set(false);
    this.chosen.emit(one);
  }
}
