import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';
import type { MockInstance } from 'vitest';

import { Api } from '../api/client';
import { Session, safeNext } from './session';
import { sessionInterceptor } from './session-interceptor';

const MAYA = { user_id: 'u1', email: 'maya@example.com', display_name: 'Maya Lind', role: 'csm', owner_email: null, permissions: ['read', 'create_action'] };
const GONE = { status: 401, statusText: 'Unauthorized' };

describe('the session', () => {
  let session: Session;
  let http: HttpTestingController;
  let navigate: MockInstance<Router['navigate']>;

  beforeEach(async () => {
    TestBed.configureTestingModule({
      providers: [provideHttpClient(withInterceptors([sessionInterceptor])), provideHttpClientTesting(), provideRouter([])],
    });
    session = TestBed.inject(Session);
    http = TestBed.inject(HttpTestingController);
    navigate = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    vi.spyOn(TestBed.inject(Router), 'url', 'get').mockReturnValue('/pages/account?account=1');
    const loaded = session.load();
    http.expectOne('/api/session').flush(MAYA);
    await loaded;
  });

  it('knows what the person may do', () => {
    expect(session.role()).toBe('csm');
    expect([session.may('create_action'), session.may('assign')]).toEqual([true, false]);
  });

  it('that ends is told once, however many requests find out, and keeps the page for later', async () => {
    const api = TestBed.inject(Api);
    const asked = [api.get('/notices'), api.get('/search', { text: 'a' })].map((one) => one.catch(() => null));
    for (const request of http.match((one) => one.url !== '/api/session')) request.flush(null, GONE);
    await Promise.all(asked);

    expect(navigate).toHaveBeenCalledTimes(1);
    expect(navigate).toHaveBeenCalledWith(['/sign-in'], { queryParams: { next: '/pages/account?account=1' }, replaceUrl: true });
    expect([session.person(), session.hasEnded()]).toEqual([null, true]);
  });

  it('does not end because a password typed again was wrong', async () => {
    const tried = session.confirm('no', null).catch(() => 'refused');
    http.expectOne('/api/session/confirm').flush(null, GONE);

    expect(await tried).toBe('refused');
    expect(navigate).not.toHaveBeenCalled();
  });

  it('leads to the second factor once the role needs one, and back', async () => {
    const asked = TestBed.inject(Api).get('/notices').catch(() => null);
    const refused = { code: 'second_factor_required', detail: 'Your role needs a second factor.' };
    http.expectOne((one) => one.url === '/api/notices').flush(refused, { status: 403, statusText: 'Forbidden' });
    await asked;

    expect(navigate).toHaveBeenCalledWith(['/security'], { queryParams: { next: '/pages/account?account=1' }, replaceUrl: true });
    expect(session.person()).not.toBeNull();
  });

  it('that the person ends is not called ended', async () => {
    const left = session.signOut();
    http.expectOne({ method: 'DELETE', url: '/api/session' }).flush(null, { status: 204, statusText: 'No Content' });
    await left;

    expect([session.person(), session.hasEnded()]).toEqual([null, false]);
  });

  it('does not end because a password was wrong', async () => {
    const tried = session.signIn('maya@example.com', 'no').catch(() => 'refused');
    http.expectOne('/api/session').flush(null, GONE);

    expect(await tried).toBe('refused');
    expect(navigate).not.toHaveBeenCalled();
  });
});

describe('where signing in leads', () => {
  it.each(['/pages/my-day', '/security', '/to-orchestrator', '/pages/account?account=a%2Fb&tab=People', '/orchestrator', '/orchestrator/runs/7?view=a%2Fb'])('may be %s', (next) => {
    expect(safeNext(next)).toBe(next);
  });

  it('is the shell for a page that was opened by its own address', () => {
    expect(safeNext('/app/accounts?band=R')).toBe('/pages/accounts?band=R');
  });

  it.each([
    null, undefined, '', '//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/pages//evil',
    '/pages/../api/session', '/pages/x?a=\\\\evil', '/pages/x\n', '/api/session', '/pages/x#//evil', '/pages/x@evil.example', '/pages/。/evil', '/orchestrators', '/orchestrator/../api/session', '/orchestrator/%2e%2e/api', '/orchestrator\\evil', '/app/../api', '/app//evil',
  ])('is never %s', (next) => {
    expect(safeNext(next)).toBe('/');
  });
});
