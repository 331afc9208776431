import { freshness } from './freshness';

const NOW = '2026-11-23T06:32:00Z';
const source = (name: string, loaded_at: string | null, state: 'fresh' | 'late' | 'stale') => ({ source: name, loaded_at, promised_within_minutes: 1560, state });

describe('freshness', () => {
  it('is a word, the hour of the figures, and each source against its promise', () => {
    const said = freshness({
      asked_at: NOW,
      state: 'late',
      publication: { build_id: 7, published_at: '2026-11-23T06:10:00Z', as_of_date: '2026-11-22' },
      sources: [source('hubspot', '2026-11-23T06:05:00Z', 'fresh'), source('zendesk', '2026-11-21T23:00:00Z', 'late'), source('billing_eu', null, 'stale')],
      streams: [],
    });

    expect([said.word, said.said]).toEqual(['Late', 'data of 06:10, 22 min ago']);
    expect(said.sources.map((one) => [one.name, one.loaded, one.promise, one.word])).toEqual([
      ['HubSpot', '06:05, 27 min ago', 'within 26 h', 'Fresh'],
      ['Zendesk', 'Sat 21 Nov 23:00, 31 h ago', 'within 26 h', 'Late'],
      ['Billing eu', 'not all of it yet', 'within 26 h', 'Stale'],
    ]);
  });

  it('is never claimed of nothing', () => {
    expect(freshness({ asked_at: NOW, state: 'stale', publication: null, sources: [], streams: [] }).word).toBe('No data');
    expect(freshness(null).word).toBe('Unknown');
  });
});
