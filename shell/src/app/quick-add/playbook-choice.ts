import { computed, inject, resource } from '@angular/core';

import { Api, requestKey } from '../api/client';
import type { WorkingDays } from '../dates/day';
import type { Draft } from './draft';

/** What the service knows of the playbook that a draft names: made where the draft is kept, asked once it is wanted. */
export function playbookChoice(draft: () => Draft, days: () => WorkingDays | null) {
  const api = inject(Api);
  const isWanted = () => draft().kind === 'playbook';

  const books = resource({ params: () => isWanted() || undefined, loader: () => api.get('/playbooks') });
  const offered = computed(() => (books.hasValue() ? books.value().items : []));
  const chosen = computed(() => offered().find((one) => one.playbook_id === draft().playbookId));
  const takers = computed(() => (books.hasValue() ? books.value().takers : []));
  /** Whether somebody must be named who takes over. */
  const needsTaker = computed(() => !!chosen()?.steps.some((step) => step.owner === 'taker'));
  /** Who was named, while they can be; null where nobody is needed, empty where somebody is missing. */
  const taker = computed(() => (needsTaker() ? (takers().find((one) => one.user_id === draft().takerId)?.user_id ?? '') : null));
  /** Today, unless a later day was chosen. */
  const startsOn = computed(() => {
    const [picked, today] = [draft().startsOn, days()?.today ?? ''];
    return picked > today ? picked : today;
  });

  const runs = resource({
    params: () => (isWanted() && draft().accountKey) || undefined,
    loader: ({ params }) => api.get('/playbooks/runs', { account_key: params, only_running: true }),
  });
  /** The same playbook at work on the account: it is started once at a time. */
  const running = computed(() => {
    const id = chosen()?.playbook_id;
    return runs.hasValue() ? runs.value().items.find((one) => one.run.playbook_id === id) : undefined;
  });

  const plan = resource({
    params: () => {
      const [book, account, from, to] = [chosen()?.playbook_id, draft().accountKey, startsOn(), taker()];
      return isWanted() && book && account && from && to !== '' ? { book, account, from, to } : undefined;
    },
    loader: ({ params }) =>
      api.post(
        `/playbooks/${encodeURIComponent(params.book)}/preview` as '/playbooks/{playbook_id}/preview',
        { account_key: params.account, starts_on: params.from, taker_user_id: params.to },
        requestKey(),
      ),
  });
  /** With their days and people, as starting now would make them. */
  const steps = computed(() => (plan.hasValue() ? plan.value().steps : []));

  return { books, offered, chosen, takers, needsTaker, taker, startsOn, running, plan, steps };
}

export type PlaybookChoice = ReturnType<typeof playbookChoice>;
