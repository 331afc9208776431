import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

/** Line icons on a 24 px grid, drawn with the colour of the text. */
const ICONS = {
  today: 'M5 5.5h14a1 1 0 0 1 1 1V19a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6.5a1 1 0 0 1 1-1ZM4 10h16M8 3.5v4M16 3.5v4M8.5 14.5l2.2 2.2 4.6-4.4',
  accounts: 'M4 20V5a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v15M14 9.5h5a1 1 0 0 1 1 1V20M2.5 20h19M7.5 8h3M7.5 12h3M7.5 16h3M17 13.5v0M17 16.5v0',
  actions: 'M10 6.5h10M10 12h10M10 17.5h10M3.5 6.5 5 8l2.5-3M3.5 12 5 13.5l2.5-3M3.5 17.5 5 19l2.5-3',
  outcomes: 'M5 21V4M5 5h11.500l-2 4 2 4H5',
  reports: 'M4 4v16h16M8 16v-4M12.500 16V8M17 16v-6',
  trust: 'M12 3.500 5 6v5.500c0 4.500 3 7.700 7 9 4-1.300 7-4.500 7-9V6ZM8.800 12l2.300 2.300 4.300-4.600',
  people: 'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.100 1.9 6.500 5.5M16 5a3.300 3.300 0 0 1 0 6.200M18 14.900c2 .7 3.200 2.400 3.500 5.100',
  database: 'M12 9.500c4.400 0 8-1.300 8-3s-3.600-3-8-3-8 1.300-8 3 3.600 3 8 3ZM4 6.500v11c0 1.700 3.600 3 8 3s8-1.300 8-3v-11M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
  explore: 'M12 20.500a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17ZM15.500 8.500l-2 5-5 2 2-5Z',
  settings: 'M4 7h9M19 7h1M4 17h1M11 17h9M16 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM8 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z',
  inbox: 'M4 13.500 6.300 5.700A1 1 0 0 1 7.300 5h9.400a1 1 0 0 1 1 .7L20 13.500V18a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-4.500ZM4 13.500h4.500a3.500 3.500 0 0 0 7 0H20',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.300 15.300 20 20',
  add: 'M12 5v14M5 12h14',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.5-4 3.300-6 7.500-6s7 2 7.500 6',
  close: 'M6 6l12 12M18 6 6 18',
} as const;

export type IconName = keyof typeof ICONS;

@Component({
  selector: 'app-icon',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path [attr.d]="path()" /></svg>
  `,
})
export class Icon {
  readonly name = input.required<IconName>();
  protected readonly path = computed(() => ICONS[this.name()]);
}
