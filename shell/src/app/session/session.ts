import { Injectable, computed, inject, signal } from '@angular/core';
import { Router } from '@angular/router';

import { Api, type Schemas } from '../api/client';
import { isUnauthenticated } from '../api/problem';

export type Person = Schemas['Person'];

export const ROLE_NAMES = { csm: 'Customer success manager', admin: 'Administrator', analyst: 'Analyst' } as const;

/**
 * Who is signed in. The cookie is out of a script's reach, so the API is asked; what other tabs do is heard from them.
 */
@Injectable({ providedIn: 'root' })
export class Session {
  private readonly api = inject(Api);
  private readonly router = inject(Router);
  private readonly tabs = new BroadcastChannel('session');
  private readonly known = signal<Person | null | undefined>(undefined);

  /** The person; null for nobody, undefined before the API has been asked. */
  readonly person = this.known.asReadonly();
  readonly role = computed(() => this.known()?.role ?? null);
  /** Whether the session ended by itself: said once, on the sign-in page. */
  readonly hasEnded = signal(false);

  constructor() {
    this.tabs.onmessage = (message: MessageEvent<unknown>) => {
      if (message.data === 'left' && this.known()) this.forget(false);
      // another tab may have signed somebody else in: everything shown here could be theirs no longer
      if (message.data === 'entered' && this.known() !== undefined) location.reload();
    };
  }

  may(permission: string): boolean {
    return this.known()?.permissions.includes(permission) ?? false;
  }

  /** Ask who is signed in. Throws when the service does not answer. */
  async load(): Promise<Person | null> {
    try {
      this.known.set(await this.api.get('/session'));
    } catch (error) {
      if (!isUnauthenticated(error)) throw error;
      this.known.set(null);
    }
    return this.known() ?? null;
  }

  /** `code` is of the authenticator app, for who has one. */
  async signIn(email: string, password: string, code: string | null = null): Promise<void> {
    this.known.set(await this.api.post('/session', { email, password, code }));
    this.hasEnded.set(false);
    this.tabs.postMessage('entered');
  }

  /** Prove again who one is: for a while the session may do what needs a recent sign-in. */
  async confirm(password: string, code: string | null): Promise<void> {
    await this.api.post('/session/confirm', { password, code });
  }

  async signOut(): Promise<void> {
    await this.api.delete('/session');
    this.tabs.postMessage('left');
    this.forget(false);
  }

  /** The service no longer knows this session. Told once, however many requests find out. */
  end(): void {
    if (this.known()) this.forget(true);
  }

  /** The person's role needs a second factor, and nothing else works before there is one. */
  mustEnrol(): void {
    const next = this.router.url.startsWith('/security') ? undefined : this.router.url;
    if (next) void this.router.navigate(['/security'], { queryParams: { next }, replaceUrl: true });
  }

  private forget(byItself: boolean): void {
    this.known.set(null);
    this.hasEnded.set(byItself);
    const next = byItself ? this.router.url : undefined;
    void this.router.navigate(['/sign-in'], { queryParams: { next }, replaceUrl: byItself });
  }
}

export const ORCHESTRATOR = '/orchestrator';

/** Whether an address is led on to the orchestrator by the front door: a place that this program does not have. */
export function isOrchestrators(address: string): boolean {
  const isPath = /^\/orchestrator(\/[^\\\p{Cc}]*)?$/u.test(address);
  return isPath && new URL(address, location.origin).pathname.startsWith(ORCHESTRATOR);
}

/**
 * A place of ours to go to after signing in; anything that could lead elsewhere becomes the start. A page that was opened
 * by its own address comes back within the shell.
 */
export function safeNext(next: string | null | undefined): string {
  if (next && isOrchestrators(next)) return next;
  // one slash, then a page: neither //host nor /\host nor a control character, which browsers take for either
  return next && /^\/(security|to-orchestrator|(pages|app)\/[\w-]+)(\?[^\\\p{Cc}]*)?$/u.test(next) ? next.replace(/^\/app\//, '/pages/') : '/';
}
