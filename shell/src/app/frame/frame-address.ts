/** Where a page is, in the two forms it has: `/pages/PAGE?…` in the shell, `/app/PAGE?embed=true&…` in the frame. */
export interface Address {
  readonly page: string;
  readonly query: string;
}

const OURS = ['embed', 'embed_options'];

/** The query without what only the frame needs, in the order the page gave it. */
export function ownQuery(query: string): string {
  const given = new URLSearchParams(query);
  for (const name of OURS) given.delete(name);
  return given.toString();
}

export function isSame(one: Address, other: Address): boolean {
  return one.page === other.page && one.query === other.query;
}

export function frameUrl(address: Address, theme: 'light' | 'dark'): string {
  const query = new URLSearchParams(address.query);
  query.append('embed', 'true');
  query.append('embed_options', `${theme}_theme`);
  return `/app/${encodeURIComponent(address.page)}?${query.toString()}`;
}

export function shellUrl(address: Address): string {
  return `/pages/${encodeURIComponent(address.page)}${address.query ? `?${address.query}` : ''}`;
}
