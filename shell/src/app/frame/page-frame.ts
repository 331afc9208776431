import {
  ChangeDetectionStrategy, Component, DestroyRef, ElementRef, computed, effect, inject, input, signal, untracked, viewChild,
} from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { DomSanitizer, Title } from '@angular/platform-browser';
import { ActivatedRoute, Router } from '@angular/router';

import { PLACES, homeOf, isPage } from '../layout/places';
import { Session } from '../session/session';
import { PALETTES } from '../theme/palette';
import { Theme } from '../theme/theme';
import { type Address, frameUrl, isSame, ownQuery, shellUrl } from './frame-address';
import { FrameLink } from './frame-link';
import { type FromFrame, fromFrame, toFrame } from './frame-messages';

const PRODUCT = 'Account intelligence';
const SLOW_MS = 12_000;

/**
 * The pages, in one frame that lives as long as the shell does. The frame's own history makes the entries of back and
 * forward; the shell's address is only ever replaced, so that each step back is one step.
 */
@Component({
  selector: 'app-page-frame',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'frame' },
  template: `
    <iframe
      #frame
      [src]="source"
      [title]="title()"
      [class.is-ready]="isReady()"
      allow="clipboard-write; clipboard-read; fullscreen"
      (load)="onLoad()"
    ></iframe>
    @if (!isReady()) {
      <div class="skeleton" role="status">
        <span class="sr-only">Opening {{ title() }}</span>
        <div class="bone title"></div>
        <div class="bone strip"></div>
        <div class="bone-columns"><div class="bone"></div><div class="bone"></div></div>
        @if (isSlow()) {
          <p class="notice">
            This page takes longer than usual. <button type="button" class="link" (click)="reload()">Load it again</button>
          </p>
        }
      </div>
    }
  `,
})
export class PageFrame {
  private readonly router = inject(Router);
  private readonly route = inject(ActivatedRoute);
  private readonly titles = inject(Title);
  private readonly session = inject(Session);
  private readonly theme = inject(Theme);
  private readonly link = inject(FrameLink);
  private readonly sanitizer = inject(DomSanitizer);
  private readonly frame = viewChild.required<ElementRef<HTMLIFrameElement>>('frame');

  /** The page of the address. */
  readonly page = input.required<string>();
  private readonly params = toSignal(this.route.queryParamMap);
  private readonly wanted = computed<Address>(() => {
    this.params(); // read again whenever the router has a new query
    return { page: this.page(), query: ownQuery(this.router.url.split('#')[0]?.split('?')[1] ?? '') };
  });

  /** Where the frame is, as it last said; null until it has spoken. */
  private shown: Address | null = null;
  /** What the frame was last told or has told: a wish that differs came while it could not hear it yet. */
  private told: Address | null = null;
  private heard: { page?: string; query?: string } = {};
  private following: ReturnType<typeof setTimeout> | undefined;
  private guestTitle = signal('');
  /** The page has drawn. A frame that has just loaded says `notRunning` too, before its first run. */
  protected readonly isReady = signal(false);
  private hasRun = false;
  protected readonly isSlow = signal(false);
  protected readonly title = computed(
    () => this.guestTitle() || PLACES.find((place) => place.address === this.wanted().page)?.title || named(this.wanted().page),
  );
  protected readonly source = this.trusted();
  private sentTheme = this.theme.shown();

  constructor() {
    const listen = (event: MessageEvent<unknown>) => {
      const message = fromFrame(event, this.frame().nativeElement.contentWindow, location.origin);
      if (message) this.hear(message);
    };
    window.addEventListener('message', listen);
    const slow = setTimeout(() => this.isSlow.set(!this.isReady()), SLOW_MS);
    this.link.rerun = () => this.say({ type: 'RERUN_SCRIPT' });
    this.link.focus = () => this.frame().nativeElement.focus();
    inject(DestroyRef).onDestroy(() => {
      window.removeEventListener('message', listen);
      clearTimeout(slow);
      clearTimeout(this.following);
      this.link.window.set(null);
      this.link.isRunning.set(false);
      this.link.rerun = () => undefined;
      this.link.focus = () => undefined;
    });
    effect(() => {
      const wanted = this.wanted();
      untracked(() => this.lead(wanted));
    });
    effect(() => {
      const theme = this.theme.shown();
      untracked(() => this.dress(theme));
    });
    effect(() => this.titles.setTitle(`${this.title()} · ${PRODUCT}`));
  }

  protected onLoad(): void {
    this.link.window.set(this.frame().nativeElement.contentWindow);
  }

  protected reload(): void {
    this.frame().nativeElement.contentWindow?.location.reload();
  }

  /** The address is the frame's from the start; afterwards it is led, never set, or the page would load anew. */
  private trusted() {
    // a path of our own origin, its parts encoded: see frame-address.ts
    const asked = location.pathname.split('/')[2] ?? '';
    const page = isPage(asked) ? asked : homeOf(this.session.role() ?? 'csm');
    this.told = { page, query: ownQuery(location.search) };
    return this.sanitizer.bypassSecurityTrustResourceUrl(frameUrl(this.told, this.theme.shown()));
  }

  private hear(message: FromFrame): void {
    switch (message.type) {
      case 'SET_APP_PAGES':
        // only a visitor has a page for signing in: the session may be gone, and the API knows
        if (message.pages.some((page) => page.urlPathname === 'sign-in')) void this.session.load().then((person) => person ?? this.session.end());
        break;
      case 'SET_CURRENT_PAGE_NAME':
        this.heard.page = this.pathOf();
        this.follow();
        break;
      case 'SET_QUERY_PARAM':
        this.heard.query = ownQuery(message.query);
        this.follow();
        break;
      case 'SET_PAGE_TITLE':
        this.guestTitle.set(message.title === PRODUCT ? '' : message.title);
        break;
      case 'SCRIPT_RUN_STATE_CHANGED':
        this.link.isRunning.set(message.state === 'running');
        this.hasRun ||= message.state === 'running';
        if (message.state === 'notRunning' && this.hasRun) {
          this.isReady.set(true);
          this.link.runs.update((count) => count + 1);
          this.dress(this.theme.shown());
        }
        break;
      case 'GUEST_READY':
        break;
    }
  }

  /** The page's own address is read from the frame, which is of our origin: its messages name a page by its title. */
  private pathOf(): string {
    return this.frame().nativeElement.contentWindow?.location.pathname.split('/')[2] ?? '';
  }

  /** Page and query are told apart; both go into one change of the address, or the second would undo the first. */
  private follow(): void {
    clearTimeout(this.following);
    this.following = setTimeout(() => {
      const inner = this.frame().nativeElement.contentWindow?.location;
      if (!inner) return;
      const page = inner.pathname.split('/')[2] ?? '';
      if (!isPage(page)) return;
      this.shown = { page, query: this.heard.query ?? ownQuery(inner.search) };
      const [shown, wanted, told] = [this.shown, this.wanted(), this.told];
      this.told = shown;
      if (isSame(shown, wanted)) return;
      if (told && !isSame(wanted, told)) this.lead(wanted);
      else void this.router.navigateByUrl(shellUrl(shown), { replaceUrl: true });
    });
  }

  /** Take the frame where the shell's address points, as the browser's own back button would: page and query at once. */
  private lead(wanted: Address): void {
    if (this.shown === null || isSame(wanted, this.shown)) return;
    const inner = this.frame().nativeElement.contentWindow;
    if (!inner) return;
    this.shown = this.told = wanted;
    this.heard = { query: wanted.query };
    this.guestTitle.set('');
    inner.history.pushState({}, '', frameUrl(wanted, this.theme.shown()));
    inner.dispatchEvent(new PopStateEvent('popstate', { state: {} }));
  }

  /** The whole palette, since a name is ignored when the pages have themes of their own; then draw, for the charts. */
  private dress(theme: 'light' | 'dark'): void {
    if (theme === this.sentTheme || !this.isReady()) return;
    this.sentTheme = theme;
    this.say({ type: 'SET_CUSTOM_THEME_CONFIG', themeInfo: PALETTES[theme] });
    setTimeout(() => this.link.rerun(), 150);
  }

  private say(message: Parameters<typeof toFrame>[1]): void {
    const inner = this.frame().nativeElement.contentWindow;
    if (inner) toFrame(inner, message, location.origin);
  }
}

function named(page: string): string {
  const words = page.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
