import type { Schemas } from '../api/client';
import { emptyDraft, keepDraft, newAction, proposed, readDraft } from './draft';
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

  it('of another kind than there are is one action', () => {
    sessionStorage.setItem('quick-add:maya', JSON.stringify({ ...emptyDraft(), kind: 'everything' }));
    expect(readDraft('maya').kind).toBe('action');
    keepDraft('maya', { ...emptyDraft(), kind: 'playbook' });
    expect(readDraft('maya').kind).toBe('playbook');
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
      reasons: [{ code: 'usage_drop', label: 'Usage fell', action_type: 'lifecycle' }],
      today: '2026-11-23',
      days_off: [],
    } as Schemas['Starting'];

    it('is proposed what the admins have set', () => {
      expect(proposed(emptyDraft(), STARTING)).toMatchObject({ intervention: 'training', actionType: 'lifecycle', priority: 'medium', dueDate: '2026-12-01' });
      expect(proposed({ ...emptyDraft(), intervention: 'billing_fix' }, STARTING)).toMatchObject({ actionType: 'risk', priority: 'high', dueDate: '2026-11-25' });
    });

    it('keeps what was chosen, unless it is not offered any more', () => {
      const draft = { ...emptyDraft(), intervention: 'training', actionType: 'risk', priority: 'low', dueDate: '2027-01-01' };
      expect(proposed(draft, STARTING)).toMatchObject({ actionType: 'risk', priority: 'low', dueDate: '2027-01-01' });
      expect(proposed({ ...draft, intervention: 'roadmap_talk', actionType: 'renewal' }, STARTING)).toMatchObject({ intervention: 'training', actionType: 'risk' });
    });

    it('is not due on a day that has passed since', () => {
      expect(proposed({ ...emptyDraft(), dueDate: '2026-11-22' }, STARTING).dueDate).toBe('2026-12-01');
      expect(proposed({ ...emptyDraft(), dueDate: '2026-11-23' }, STARTING).dueDate).toBe('2026-11-23');
    });

    it('is sent whole: named after what to do, an offered reason by its code, and what was left empty as nothing', () => {
      const draft = { ...emptyDraft(), accountKey: 'k1', reason: ' Usage fell ' };

      expect(newAction(draft, STARTING)).toEqual({
        account_key: 'k1', title: 'Training', action_type: 'lifecycle', intervention: 'training', priority: 'medium',
        due_date: '2026-12-01', reason: 'usage_drop', stakeholder: null, owner_user_id: null,
      });
      expect(newAction({ ...draft, title: ' Call ', reason: 'They asked', stakeholder: ' Ada Quill ' }, STARTING)).toMatchObject({
        title: 'Call', reason: 'They asked', stakeholder: 'Ada Quill',
      });
    });
  });

  it('shows codes as words', () => {
    expect(inWords('executive_reach_out')).toBe('Executive reach out');
  });
});
