/**
 * What the framed pages say, and what they obey: the host protocol of the one pinned version of Streamlit. Whatever does
 * not come from our own frame, from our own origin and in this version of the protocol is not a message.
 */
export const PROTOCOL = 1;

export interface FramePage {
  readonly pageScriptHash: string;
  readonly urlPathname: string;
  readonly isDefault: boolean;
}

export type FromFrame =
  | { readonly type: 'GUEST_READY' }
  | { readonly type: 'SET_APP_PAGES'; readonly pages: readonly FramePage[] }
  | { readonly type: 'SET_CURRENT_PAGE_NAME'; readonly page: string; readonly hash: string }
  | { readonly type: 'SET_QUERY_PARAM'; readonly query: string }
  | { readonly type: 'SET_PAGE_TITLE'; readonly title: string }
  | { readonly type: 'SCRIPT_RUN_STATE_CHANGED'; readonly state: string };

type Raw = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Raw => typeof value === 'object' && value !== null;
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function pageOf(raw: unknown): FramePage[] {
  if (!isRecord(raw)) return [];
  const pageScriptHash = text(raw['pageScriptHash']);
  const urlPathname = text(raw['urlPathname']);
  return pageScriptHash === null || urlPathname === null ? [] : [{ pageScriptHash, urlPathname, isDefault: raw['isDefault'] === true }];
}

function parse(raw: Raw): FromFrame | null {
  switch (raw['type']) {
    case 'GUEST_READY':
      return { type: 'GUEST_READY' };
    case 'SET_APP_PAGES': {
      const pages = raw['appPages'];
      return Array.isArray(pages) ? { type: 'SET_APP_PAGES', pages: pages.flatMap(pageOf) } : null;
    }
    case 'SET_CURRENT_PAGE_NAME': {
      const page = text(raw['currentPageName']);
      const hash = text(raw['currentPageScriptHash']);
      return page === null || hash === null ? null : { type: 'SET_CURRENT_PAGE_NAME', page, hash };
    }
    case 'SET_QUERY_PARAM': {
      const query = text(raw['queryParams']);
      return query === null ? null : { type: 'SET_QUERY_PARAM', query };
    }
    case 'SET_PAGE_TITLE': {
      const title = text(raw['title']);
      return title === null ? null : { type: 'SET_PAGE_TITLE', title: title.slice(0, 200) };
    }
    case 'SCRIPT_RUN_STATE_CHANGED': {
      const state = text(raw['scriptRunState']);
      return state === null ? null : { type: 'SCRIPT_RUN_STATE_CHANGED', state };
    }
    default:
      return null;
  }
}

/** The message of an event, or null for anything that is not one of ours. */
export function fromFrame(event: MessageEvent<unknown>, frame: Window | null, origin: string): FromFrame | null {
  if (frame === null || event.source !== frame || event.origin !== origin) return null;
  return isRecord(event.data) && event.data['stCommVersion'] === PROTOCOL ? parse(event.data) : null;
}

export type ToFrame =
  | { readonly type: 'REQUEST_PAGE_CHANGE'; readonly pageScriptHash: string }
  | { readonly type: 'SET_CUSTOM_THEME_CONFIG'; readonly themeInfo: object }
  | { readonly type: 'RERUN_SCRIPT' };

export function toFrame(frame: Window, message: ToFrame, origin: string): void {
  frame.postMessage({ stCommVersion: PROTOCOL, ...message }, origin);
}
