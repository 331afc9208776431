import { inject } from '@angular/core';
import { CanActivateFn, Router } from '@angular/router';

import { homeOf } from '../layout/places';
import { Session } from './session';

/** Somebody is signed in; `enrolled`: and has the second factor that their role may need. */
const mustBe = (allowed: 'anybody' | 'enrolled'): CanActivateFn => async (_, state) => {
  const session = inject(Session);
  const router = inject(Router);
  const next = state.url === '/' ? undefined : state.url;
  try {
    const person = session.person() ?? (await session.load());
    if (person && !(person.must_enrol && allowed === 'enrolled')) return true;
    if (person) return router.createUrlTree(['/security'], { queryParams: { next } });
  } catch {
    return router.createUrlTree(['/away'], { queryParams: { next } });
  }
  return router.createUrlTree(['/sign-in'], { queryParams: { next } });
};

export const mustBeSignedIn = mustBe('enrolled');
export const mustBeKnown = mustBe('anybody');

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
