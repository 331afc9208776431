import { ChangeDetectionStrategy, Component, ElementRef, computed, effect, input, output, viewChild } from '@angular/core';

import { type WorkingDays, distance, longDay } from '../dates/day';

/** A date. A browser shows it in an order of its own, so it stands below in words, with how far away it is. */
@Component({
  selector: 'app-day-field',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'field' },
  template: `
    <label [for]="fieldId()">{{ label() }}</label>
    <input #field type="date" [id]="fieldId()" [min]="days()?.today ?? ''" [attr.aria-describedby]="fieldId() + '-words'" (input)="changed.emit(field.value)" (blur)="field.value = day()" />
    <span class="day-words" role="status" [id]="fieldId() + '-words'">{{ inWords() }}</span>
  `,
})
export class DayField {
  readonly fieldId = input.required<string>();
  readonly label = input.required<string>();
  /** What counts: what was chosen, or what is proposed. */
  readonly day = input.required<string>();
  readonly days = input.required<WorkingDays | null>();
  /** As typed; empty while it is no whole date. */
  readonly changed = output<string>();
  private readonly field = viewChild.required<ElementRef<HTMLInputElement>>('field');
  protected readonly inWords = computed(() => {
    const [day, days] = [this.day(), this.days()];
    return day && days ? `${longDay(day)} · ${distance(day, days)}` : '';
  });

  constructor() {
    effect(() => {
      const [day, field] = [this.day(), this.field().nativeElement];
      // a date half typed is none yet: nothing is put into the field of who is typing
      if (document.activeElement !== field) field.value = day;
    });
  }
}
