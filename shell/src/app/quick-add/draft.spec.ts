import { emptyDraft, keepDraft, readDraft } from './draft';
import { inWords } from './words';

describe('the draft of an action', () => {
  beforeEach(() => sessionStorage.clear());

  it('outlives the dialog with the key of its request, for the same person only', () => {
    const draft = { ...emptyDraft(), title: 'Call them', accountKey: 'k1' };
    keepDraft('maya', draft);

    expect(readDraft('maya')).toEqual(draft);
    expect(readDraft('tom').title).toBe('');
  });

  it('that was sent is forgotten, and the next has a key of its own', () => {
    const draft = readDraft('maya');
    keepDraft('maya', draft);
    keepDraft('maya', null);

    expect(readDraft('maya').key).not.toBe(draft.key);
  });

  it.each(['{', 'null', '[]', '{"title": 7}'])('that is damaged (%s) is an empty one', (text) => {
    sessionStorage.setItem('quick-add:maya', text);

    expect(readDraft('maya')).toEqual({ ...emptyDraft(), key: expect.any(String) as string });
  });

  it('shows codes as words', () => {
    expect(inWords('executive_reach_out')).toBe('Executive reach out');
  });
});
