import { Route, Routes, UrlSegment } from '@angular/router';

import { isPage } from './layout/places';
import { homeRedirect, mustBeKnown, mustBeSignedIn, mustBeSignedOut } from './session/session-guard';

export const routes: Routes = [
  {
    path: 'sign-in',
    title: 'Sign in · Account intelligence',
    canActivate: [mustBeSignedOut],
    loadComponent: () => import('./session/sign-in').then((m) => m.SignIn),
  },
  {
    path: 'away',
    title: 'Account intelligence',
    loadComponent: () => import('./session/away').then((m) => m.Away),
  },
  {
    path: 'security',
    title: 'Sign-in and security · Account intelligence',
    canActivate: [mustBeKnown],
    loadComponent: () => import('./session/security').then((m) => m.Security),
  },
  {
    path: 'to-orchestrator',
    title: 'Orchestrator · Account intelligence',
    canActivate: [mustBeSignedIn],
    loadComponent: () => import('./session/to-orchestrator').then((m) => m.ToOrchestrator),
  },
  {
    path: 'pages',
    canActivate: [mustBeSignedIn],
    loadComponent: () => import('./layout/layout').then((m) => m.Layout),
    children: [
      { path: '', pathMatch: 'full', canActivate: [homeRedirect], children: [] },
      {
        // one route for all pages, so that changing the page never builds the frame anew
        path: ':page',
        canMatch: [(_route: Route, segments: UrlSegment[]) => isPage(segments[0]?.path ?? '')],
        loadComponent: () => import('./frame/page-frame').then((m) => m.PageFrame),
      },
      {
        path: '**',
        title: 'No such page · Account intelligence',
        loadComponent: () => import('./layout/no-such-page').then((m) => m.NoSuchPage),
      },
    ],
  },
  { path: '**', canActivate: [mustBeSignedIn, homeRedirect], children: [] },
];
