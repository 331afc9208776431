import type { Schemas } from '../api/client';
import { age, clock, span } from '../dates/moment';
import { inWords } from '../quick-add/words';

type Pipeline = Schemas['Pipeline'];
type State = Pipeline['state'] | 'unknown';

/** What may be said of how fresh the figures are: a word beside the colour, and a line of each source. */
export interface Freshness {
  readonly state: State;
  readonly word: string;
  readonly said: string;
  readonly sources: readonly { readonly name: string; readonly loaded: string; readonly promise: string; readonly state: State; readonly word: string }[];
}

const WORDS: Readonly<Record<State, string>> = { fresh: 'Fresh', late: 'Late', stale: 'Stale', unknown: 'Unknown' };
const NAMES: Readonly<Record<string, string>> = { hubspot: 'HubSpot', product: 'Product database', surveys: 'NPS surveys' };

/** Of an answer; `null` when the service does not say. */
export function freshness(answer: Pipeline | null): Freshness {
  if (!answer) return { state: 'unknown', word: WORDS.unknown, said: 'how fresh the figures are is not known right now', sources: [] };
  const { publication, asked_at: now } = answer;
  return {
    state: answer.state,
    word: publication ? WORDS[answer.state] : 'No data',
    said: publication ? `data of ${clock(publication.published_at, now)}, ${age(publication.published_at, now)}` : 'no figures have been published yet',
    sources: answer.sources.map((one) => ({
      name: NAMES[one.source] ?? inWords(one.source),
      loaded: one.loaded_at ? `${clock(one.loaded_at, now)}, ${age(one.loaded_at, now)}` : 'not all of it yet',
      promise: `within ${span(one.promised_within_minutes)}`,
      state: one.state,
      word: WORDS[one.state],
    })),
  };
}
