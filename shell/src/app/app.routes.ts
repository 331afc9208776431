import { Routes } from '@angular/router';

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
    // one route for all pages, so that changing the page never builds the frame anew
    children: [{ path: ':page', loadComponent: () => import('./frame/page-frame').then((m) => m.PageFrame) }],
  },
  { path: '**', canActivate: [mustBeSignedIn, homeRedirect], children: [] },
];
