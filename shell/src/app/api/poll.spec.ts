import { TestBed } from '@angular/core/testing';

import { poll } from './poll';

describe('polling', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('asks at once, now and then, and when the tab is looked at, but never while nobody looks, and ends', () => {
    const ask = vi.fn(() => Promise.resolve());
    const looked = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible');
    TestBed.runInInjectionContext(() => poll(1000, ask));
    vi.advanceTimersByTime(2000);
    expect(ask).toHaveBeenCalledTimes(3);

    looked.mockReturnValue('hidden');
    vi.advanceTimersByTime(5000);
    expect(ask).toHaveBeenCalledTimes(3);
    looked.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(ask).toHaveBeenCalledTimes(4);

    TestBed.resetTestingModule();
    vi.advanceTimersByTime(5000);
    document.dispatchEvent(new Event('visibilitychange'));
    expect(ask).toHaveBeenCalledTimes(4);
  });
});
