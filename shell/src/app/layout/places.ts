import type { Schemas } from '../api/client';
import type { IconName } from './icon';

export type Role = Schemas['Role'];

/** A page of the frame as the rail shows it; `key` is typed after G. */
export interface Place {
  readonly address: string;
  readonly title: string;
  readonly icon: IconName;
  readonly roles: readonly Role[];
  readonly key: string;
}

const EVERYBODY: readonly Role[] = ['csm', 'admin', 'analyst'];

/** The same pages, order and roles as the bar of the pages themselves (app/ui/navigation.py); a test compares them. */
export const PLACES: readonly Place[] = [
  { address: 'my-day', title: 'My day', icon: 'today', roles: ['csm', 'admin'], key: 'd' },
  { address: 'accounts', title: 'Accounts', icon: 'accounts', roles: EVERYBODY, key: 'a' },
  { address: 'actions', title: 'Actions', icon: 'actions', roles: EVERYBODY, key: 't' },
  { address: 'outcomes', title: 'Outcomes', icon: 'outcomes', roles: EVERYBODY, key: 'o' },
  { address: 'reports', title: 'Reports', icon: 'reports', roles: EVERYBODY, key: 'r' },
  { address: 'trust', title: 'Trust', icon: 'trust', roles: EVERYBODY, key: 'u' },
  { address: 'explore', title: 'Explore', icon: 'explore', roles: ['admin', 'analyst'], key: 'x' },
  { address: 'sql', title: 'SQL', icon: 'database', roles: ['admin', 'analyst'], key: 'q' },
  { address: 'assignments', title: 'Assignments', icon: 'people', roles: ['admin'], key: 's' },
  { address: 'settings', title: 'Settings', icon: 'settings', roles: ['admin'], key: 'e' },
];

/** The pages of the frame that no rail shows; with PLACES they are all there are. */
const BESIDE: readonly string[] = ['account', 'proof', 'definitions', 'inbox', 'preferences'];
const PAGES: ReadonlySet<string> = new Set([...PLACES.map((place) => place.address), ...BESIDE]);

export function isPage(address: string): boolean {
  return PAGES.has(address);
}

const HOMES: Readonly<Record<Role, string>> = { csm: 'my-day', admin: 'assignments', analyst: 'accounts' };

export function homeOf(role: Role): string {
  return HOMES[role];
}

export function placesOf(role: Role | null): readonly Place[] {
  return PLACES.filter((place) => role !== null && place.roles.includes(role));
}
