import { shortDay } from './day';

/** Moments as the API writes them, shown in the product's zone, as the pages show them. */

const ZONE = 'Europe/London';
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
// this locale writes a date as the API does
const DATE = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE });
const MINUTE_MS = 60_000;

/** `06:10` on the day of `now`, else `Sun 22 Nov 22:40`, with the year when it is another one. */
export function clock(moment: string, now: string): string {
  const [at, today] = [new Date(moment), DATE.format(new Date(now))];
  const day = DATE.format(at);
  if (day === today) return CLOCK.format(at);
  const year = day.slice(0, 4);
  return `${shortDay(day)} ${year === today.slice(0, 4) ? '' : `${year} `}${CLOCK.format(at)}`;
}

/** `just now`, `22 min ago`, `5 h ago`, `3 d ago`: the largest unit that leaves a number worth reading. */
export function age(moment: string, now: string): string {
  const minutes = Math.floor((Date.parse(now) - Date.parse(moment)) / MINUTE_MS);
  return minutes < 1 ? 'just now' : `${span(minutes)} ago`;
}

/** `45 min`, `26 h`, `3 d`. */
export function span(minutes: number): string {
  return minutes < 90 ? `${minutes} min` : minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
