import { inject } from '@angular/core';
import { CanActivateFn, Router } from '@angular/router';

import { homeOf } from '../layout/places';
import { Session } from './session';

export const mustBeSignedIn: CanActivateFn = async (_, state) => {
  const session = inject(Session);
  const router = inject(Router);
  const next = state.url === '/' ? undefined : state.url;
  try {
    if (session.person() ?? (await session.load())) return true;
  } catch {
    return router.createUrlTree(['/away'], { queryParams: { next } });
  }
  return router.createUrlTree(['/sign-in'], { queryParams: { next } });
};

export const mustBeSignedOut: CanActivateFn = async () => {
  const session = inject(Session);
  const router = inject(Router);
  try {
    const person = session.person() === undefined ? await session.load() : session.person();
    return person ? router.createUrlTree(['/pages', homeOf(person.role)]) : true;
  } catch {
    return true;
  }
};

/** The bare address leads to the role's home page. */
export const homeRedirect: CanActivateFn = () => {
  const role = inject(Session).role();
  return inject(Router).createUrlTree(role ? ['/pages', homeOf(role)] : ['/sign-in']);
};
