import { count, daysLater, distance, longDay, shortDay } from './day';

// a Monday; England's Christmas and Boxing Day of 2026, the second in lieu
const DAYS = { today: '2026-11-23', daysOff: new Set(['2026-12-25', '2026-12-28']) };

describe('a calendar day', () => {
  it('is written in one order, whatever the browser prefers', () => {
    expect(longDay('2026-11-24')).toBe('Tue 24 Nov 2026');
    expect(shortDay('2026-12-01')).toBe('Tue 1 Dec');
    expect(longDay('2028-02-29')).toBe('Tue 29 Feb 2028');
  });

  it.each([
    ['2026-11-23', 'today'],
    ['2026-11-24', 'in 1 business day'],
    ['2026-11-27', 'in 4 business days'],
    ['2026-11-30', 'in 5 business days'],
    ['2026-12-24', 'in 23 business days'],
    ['2026-12-29', 'in 24 business days'],
    ['2026-11-28', 'not a business day, in 5 days'],
    ['2026-12-25', 'not a business day, in 32 days'],
    ['2026-11-20', '3 days ago'],
    ['2027-12-01', 'in 373 days'],
  ])('%s is %s', (day, expected) => {
    expect(distance(day, DAYS)).toBe(expected);
  });

  it('is not moved by the night the clocks change', () => {
    expect(daysLater('2027-03-27', 2)).toBe('2027-03-29');
    expect(distance('2027-03-29', { today: '2027-03-26', daysOff: new Set() })).toBe('in 1 business day');
  });

  it('counts in words', () => {
    expect([count(1, 'step'), count(6, 'step')]).toEqual(['1 step', '6 steps']);
  });
});
