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
      const [book, account, from] = [chosen()?.playbook_id, draft().accountKey, startsOn()];
      return isWanted() && book && account && from ? { book, account, from } : undefined;
    },
    loader: ({ params }) =>
      api.post(
        `/playbooks/${encodeURIComponent(params.book)}/preview` as '/playbooks/{playbook_id}/preview',
        { account_key: params.account, starts_on: params.from },
        requestKey(),
      ),
  });
  /** With their days and people, as starting now would make them. */
  const steps = computed(() => (plan.hasValue() ? plan.value().steps : []));

  return { books, offered, chosen, startsOn, running, plan, steps };
}

export type PlaybookChoice = ReturnType<typeof playbookChoice>;
