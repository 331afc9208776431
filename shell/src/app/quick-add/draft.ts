import { type Schemas, requestKey } from '../api/client';
import { inWords } from './words';

/**
 * What is typed into a new action or chosen of a playbook, and the key of its request: sent twice, it is still done once.
 * What is empty was not chosen, and is what the service proposes.
 */
export interface Draft {
  readonly accountKey: string;
  readonly accountName: string;
  readonly title: string;
  readonly actionType: string;
  readonly intervention: string;
  readonly priority: string;
  readonly dueDate: string;
  readonly reason: string;
  readonly stakeholder: string;
  /** Empty: the CSM's own, or of an admin the unassigned queue. */
  readonly ownerId: string;
  /** Whether a playbook is started in place of one action. */
  readonly kind: 'action' | 'playbook';
  readonly playbookId: string;
  readonly startsOn: string;
  /** Who takes over, for a playbook that gives them steps. */
  readonly takerId: string;
  readonly key: string;
}

export function emptyDraft(): Draft {
  return {
    accountKey: '', accountName: '', title: '', actionType: '', intervention: 'diagnostic_call', priority: '',
    dueDate: '', reason: '', stakeholder: '', ownerId: '', kind: 'action', playbookId: '', startsOn: '', takerId: '', key: requestKey(),
  };
}

/** The draft with what the admins have set in place of what was not chosen, is past, or is not offered any more. */
export function proposed(draft: Draft, starting: Schemas['Starting'] | null): Draft {
  if (!starting) return draft;
  const intervention = starting.interventions.find((one) => one.code === draft.intervention) ?? starting.interventions[0];
  const wanted = draft.actionType || intervention?.action_type;
  const type = starting.types.find((one) => one.code === wanted) ?? starting.types[0];
  return {
    ...draft,
    intervention: intervention?.code ?? '',
    actionType: type?.code ?? '',
    priority: draft.priority || (type?.priority ?? ''),
    dueDate: draft.dueDate >= starting.today ? draft.dueDate : (type?.due_date ?? ''),
  };
}

/** The body of the request: what was not chosen as it is proposed, an unchanged reason by its code. */
export function newAction(draft: Draft, starting: Schemas['Starting']): Schemas['NewAction'] {
  const whole = proposed(draft, starting);
  const reason = draft.reason.trim();
  const untitled = starting.interventions.find((one) => one.code === whole.intervention)?.label ?? inWords(whole.intervention);
  return {
    account_key: whole.accountKey,
    title: whole.title.trim() || untitled,
    action_type: whole.actionType as Schemas['ActionType'],
    intervention: whole.intervention as Schemas['Intervention'],
    priority: whole.priority as Schemas['Priority'],
    due_date: whole.dueDate || null,
    reason: starting.reasons.find((one) => one.action_type === whole.actionType && one.label === reason)?.code ?? (reason || null),
    stakeholder: whole.stakeholder.trim() || null,
    owner_user_id: whole.ownerId || null,
  };
}

const place = (userId: string) => `quick-add:${userId}`;

/** The person's own draft of this tab, which outlives a reload and an ended session. */
export function readDraft(userId: string): Draft {
  try {
    const read: unknown = JSON.parse(sessionStorage.getItem(place(userId)) ?? 'null');
    const empty = emptyDraft();
    if (typeof read !== 'object' || read === null) return empty;
    const given = read as Record<string, unknown>;
    const kept = Object.keys(empty).filter((name) => typeof given[name] === 'string');
    const draft = { ...empty, ...Object.fromEntries(kept.map((name) => [name, given[name]])) };
    return { ...draft, kind: draft.kind === 'playbook' ? 'playbook' : 'action' };
  } catch {
    return emptyDraft();
  }
}

export function keepDraft(userId: string, draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(place(userId), JSON.stringify(draft));
    else sessionStorage.removeItem(place(userId));
  } catch {
    // without storage the draft lives as long as the dialog
  }
}
