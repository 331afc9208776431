import { age, clock, span } from './moment';

const NOW = '2026-07-23T10:30:00Z';

describe('a moment', () => {
  it('is shown on the clock of London, with its day when that is another one there', () => {
    expect(clock('2026-07-23T05:10:00Z', NOW)).toBe('06:10');
    expect(clock('2026-07-22T23:30:00Z', NOW)).toBe('00:30');
    expect(clock('2026-07-21T22:40:00Z', NOW)).toBe('Tue 21 Jul 23:40');
    expect(clock('2025-12-31T09:00:00Z', NOW)).toBe('Wed 31 Dec 2025 09:00');
  });

  it.each([
    ['2026-07-23T10:29:30Z', 'just now'],
    ['2026-07-23T10:30:02Z', 'just now'],
    ['2026-07-23T10:08:00Z', '22 min ago'],
    ['2026-07-23T05:29:00Z', '5 h ago'],
    ['2026-07-20T10:30:00Z', '3 d ago'],
  ])('%s was %s', (moment, expected) => {
    expect(age(moment, NOW)).toBe(expected);
  });

  it('and a span of time are short', () => {
    expect([span(89), span(26 * 60), span(72 * 60)]).toEqual(['89 min', '26 h', '3 d']);
  });
});
