/** Calendar days as the API writes them, YYYY-MM-DD. Reckoned in UTC, so that no change of the clocks moves one. */

const NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
const WORKING_DAYS = [1, 2, 3, 4, 5];

/** A person's working days: theirs are Mondays to Fridays but for `daysOff`, which are known for a year from `today`. */
export interface WorkingDays {
  readonly today: string;
  readonly daysOff: ReadonlySet<string>;
}

const time = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const written = (moment: number): string => new Date(moment).toISOString().slice(0, 10);

/** `Tue 24 Nov`. */
export function shortDay(day: string): string {
  const at = new Date(time(day));
  return `${NAMES[at.getUTCDay()] ?? ''} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ''}`;
}

/** `Tue 24 Nov 2026`: in this order it can be read one way only, unlike a field in a browser's own. */
export function longDay(day: string): string {
  return `${shortDay(day)} ${day.slice(0, 4)}`;
}

/** The day `count` days later. */
export function daysLater(day: string, count: number): string {
  return written(time(day) + count * DAY_MS);
}

function isWorkingDay(moment: number, days: WorkingDays): boolean {
  return WORKING_DAYS.includes(new Date(moment).getUTCDay()) && !days.daysOff.has(written(moment));
}

/** How far away a day is: `today`, `in 2 business days`; in plain days where it is none, past, or over a year away. */
export function distance(day: string, days: WorkingDays): string {
  const [from, to] = [time(days.today), time(day)];
  const all = Math.round((to - from) / DAY_MS);
  const off = isWorkingDay(to, days) ? '' : 'not a business day, ';
  if (all === 0) return `${off}today`;
  if (all < 0) return `${count(-all, 'day')} ago`;
  if (off || all > 365) return `${off}in ${count(all, 'day')}`;
  let business = 0;
  for (let at = from + DAY_MS; at <= to; at += DAY_MS) if (isWorkingDay(at, days)) business++;
  return `in ${count(business, 'business day')}`;
}

/** `1 step`, `6 steps`. */
export function count(number: number, one: string): string {
  return `${number} ${number === 1 ? one : `${one}s`}`;
}
