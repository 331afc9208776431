import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { FrameLink } from '../frame/frame-link';
import { InboxCount } from './inbox-count';

describe('the inbox that counts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('asks as a timer while nobody is there, and as a person after they typed, in the shell or in the frame', () => {
    TestBed.configureTestingModule({ providers: [InboxCount, provideHttpClient(), provideHttpClientTesting()] });
    const frame = document.body.appendChild(document.createElement('iframe')).contentWindow as Window;
    TestBed.inject(FrameLink).window.set(frame);
    TestBed.inject(InboxCount);
    TestBed.tick();
    const asked = () => {
      vi.advanceTimersByTime(30_000);
      const [request] = TestBed.inject(HttpTestingController).match((one) => one.url === '/api/notices').slice(-1);
      return request?.request.headers.has('X-Background') ? 'by a timer' : 'by a person';
    };

    expect(asked()).toBe('by a timer');
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'x', bubbles: true }));
    expect(asked()).toBe('by a person');
    expect(asked()).toBe('by a timer');
    frame.document.body.addEventListener('keydown', (event) => event.stopPropagation());
    frame.document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'x', bubbles: true }));
    expect(asked()).toBe('by a person');
  });
});
