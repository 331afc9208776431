import { fromFrame, toFrame } from './frame-messages';

const ORIGIN = 'https://accounts.example';
const frame = { name: 'frame' } as unknown as Window;
const title = { stCommVersion: 1, type: 'SET_PAGE_TITLE', title: 'My day' };

function event(data: unknown, from: { origin?: string; source?: unknown } = {}): MessageEvent<unknown> {
  return { data, origin: ORIGIN, source: frame, ...from } as MessageEvent<unknown>;
}

describe('messages of the frame', () => {
  it('are heard from the frame itself, from our origin, in our version', () => {
    expect(fromFrame(event(title), frame, ORIGIN)).toEqual({ type: 'SET_PAGE_TITLE', title: 'My day' });
  });

  it.each([
    ['another origin', event(title, { origin: 'https://evil.example' })],
    ['another window', event(title, { source: { name: 'other' } })],
    ['another version', event({ ...title, stCommVersion: 2 })],
    ['no version', event({ type: 'SET_PAGE_TITLE', title: 'x' })],
    ['an unknown type', event({ stCommVersion: 1, type: 'EVAL', code: '1' })],
    ['text', event('SET_PAGE_TITLE')],
    ['nothing', event(null)],
    ['a title that is no text', event({ ...title, title: { toString: 'x' } })],
    ['pages that are no list', event({ stCommVersion: 1, type: 'SET_APP_PAGES', appPages: 'all' })],
  ])('are ignored from %s', (_, sent) => {
    expect(fromFrame(sent, frame, ORIGIN)).toBeNull();
  });

  it('are ignored while there is no frame', () => {
    expect(fromFrame(event(title, { source: null }), null, ORIGIN)).toBeNull();
  });

  it('leave out pages that are not whole', () => {
    const sent = event({ stCommVersion: 1, type: 'SET_APP_PAGES', appPages: [{ pageScriptHash: 'a', urlPathname: 'my-day' }, { pageScriptHash: 1 }, null] });

    expect(fromFrame(sent, frame, ORIGIN)).toEqual({
      type: 'SET_APP_PAGES',
      pages: [{ pageScriptHash: 'a', urlPathname: 'my-day', isDefault: false }],
    });
  });

  it('are sent to our origin only', () => {
    const post = vi.fn();

    toFrame({ postMessage: post } as unknown as Window, { type: 'RERUN_SCRIPT' }, ORIGIN);

    expect(post).toHaveBeenCalledWith({ stCommVersion: 1, type: 'RERUN_SCRIPT' }, ORIGIN);
  });
});
