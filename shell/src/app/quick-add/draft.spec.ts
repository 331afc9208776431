import { emptyDraft, keepDraft, proposed, readDraft } from './draft';
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

  describe('that says nothing of it', () => {
    const STARTING = {
      interventions: [{ code: 'training', label: 'Training', action_type: 'lifecycle' }, { code: 'billing_fix', label: 'Billing', action_type: 'risk' }],
      types: [
        { code: 'risk', label: 'Risk', priority: 'high', due_date: '2026-11-25' },
        { code: 'lifecycle', label: 'Lifecycle', priority: 'medium', due_date: '2026-12-01' },
      ],
      reasons: [],
    } as Parameters<typeof proposed>[1];

    it('is proposed what the admins have set', () => {
      expect(proposed(emptyDraft(), STARTING)).toMatchObject({ intervention: 'training', actionType: 'lifecycle', priority: 'medium', dueDate: '2026-12-01' });
      expect(proposed({ ...emptyDraft(), intervention: 'billing_fix' }, STARTING)).toMatchObject({ actionType: 'risk', priority: 'high', dueDate: '2026-11-25' });
    });

    it('keeps what was chosen, unless it is not offered any more', () => {
      const draft = { ...emptyDraft(), intervention: 'training', actionType: 'risk', priority: 'low', dueDate: '2027-01-01' };
      expect(proposed(draft, STARTING)).toMatchObject({ actionType: 'risk', priority: 'low', dueDate: '2027-01-01' });
      expect(proposed({ ...draft, intervention: 'roadmap_talk', actionType: 'renewal' }, STARTING)).toMatchObject({ intervention: 'training', actionType: 'risk' });
    });
  });

  it('shows codes as words', () => {
    expect(inWords('executive_reach_out')).toBe('Executive reach out');
  });
});
