import { ApplicationRef, ChangeDetectionStrategy, Component, DestroyRef, computed, inject, signal } from '@angular/core';
import { Router, RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

import { FrameLink } from '../frame/frame-link';
import { focused } from '../keys/focus';
import { Keyboard, type Shortcut } from '../keys/keyboard';
import { ShortcutList } from '../keys/shortcut-list';
import { QuickAdd } from '../quick-add/quick-add';
import { SearchPalette } from '../search/search-palette';
import { Session } from '../session/session';
import { FreshnessMark } from './freshness-mark';
import { Icon } from './icon';
import { InboxCount } from './inbox-count';
import { homeOf, placesOf } from './places';
import { ToastArea } from './toasts';
import { UserMenu } from './user-menu';

const MOST_COUNTED = 99;
type Open = 'search' | 'add' | 'keys' | null;

/** Top bar and rail around the frame. */
@Component({
  selector: 'app-layout',
  imports: [FreshnessMark, Icon, QuickAdd, RouterLink, RouterLinkActive, RouterOutlet, SearchPalette, ShortcutList, ToastArea, UserMenu],
  providers: [InboxCount],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'layout' },
  template: `
    <button type="button" class="skip" (click)="link.focus()">Skip to the page</button>
    <header class="bar">
      <a class="product" [routerLink]="['/pages', home()]" replaceUrl><img src="static/favicon.png" alt="" width="20" height="20" />Account intelligence</a>
      <button type="button" class="search" aria-keyshortcuts="Control+K" (click)="open('search')">
        <app-icon name="search" /><span>Search accounts, people, actions</span><kbd>{{ mod }} K</kbd>
      </button>
      <div class="tools">
        @if (mayAdd()) {
          <button type="button" class="quiet add" aria-keyshortcuts="A" (click)="open('add')"><app-icon name="add" /><span>Add action</span> <kbd>A</kbd></button>
        }
        <a
          class="quiet inbox"
          routerLink="/pages/inbox"
          replaceUrl
          routerLinkActive="is-active"
          ariaCurrentWhenActive="page"
          [attr.aria-label]="inboxLabel()"
          [title]="inboxLabel()"
        >
          <app-icon name="inbox" />
          @if (inbox.unread()) { <span class="count" aria-hidden="true">{{ shownCount() }}</span> }
        </a>
        <app-freshness />
        <app-user-menu (keysWanted)="open('keys')" />
      </div>
      <div class="progress" [class.is-on]="link.isRunning()" aria-hidden="true"></div>
    </header>
    <nav class="rail" aria-label="Pages">
      @for (place of places(); track place.address) {
        <a [routerLink]="['/pages', place.address]" replaceUrl routerLinkActive="is-active" ariaCurrentWhenActive="page" [title]="place.title + ' (G ' + place.key.toUpperCase() + ')'">
          <app-icon [name]="place.icon" /><span>{{ place.title }}</span>
        </a>
      }
    </nav>
    <main class="content"><router-outlet /></main>
    <app-toasts />
    @switch (opened()) {
      @case ('search') { <app-search-palette [commands]="commands()" (closed)="close()" /> }
      @case ('add') { <app-quick-add (closed)="close()" /> }
      @case ('keys') { <app-shortcut-list [shortcuts]="shortcuts()" (closed)="close()" /> }
    }
  `,
})
export class Layout {
  private readonly application = inject(ApplicationRef);
  private readonly router = inject(Router);
  private readonly session = inject(Session);
  protected readonly link = inject(FrameLink);
  protected readonly inbox = inject(InboxCount);
  protected readonly opened = signal<Open>(null);
  /** What had the focus before something was opened. */
  private from: HTMLElement | null = null;
  protected readonly mod = navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl';
  protected readonly places = computed(() => placesOf(this.session.role()));
  protected readonly home = computed(() => homeOf(this.session.role() ?? 'csm'));
  protected readonly mayAdd = computed(() => this.session.may('create_action'));
  protected readonly shownCount = computed(() => (this.inbox.unread() > MOST_COUNTED ? `${MOST_COUNTED}+` : `${this.inbox.unread()}`));
  protected readonly inboxLabel = computed(() => (this.inbox.unread() ? `Inbox, ${this.inbox.unread()} unread` : 'Inbox, nothing unread'));

  protected readonly shortcuts = computed<readonly Shortcut[]>(() => [
    { keys: 'mod+k', does: 'Search', run: () => this.open('search') },
    { keys: '/', does: 'Search', run: () => this.open('search') },
    ...(this.mayAdd() ? [{ keys: 'a', does: 'Add an action', run: () => this.open('add') }] : []),
    ...this.places().map((place) => ({ keys: `g ${place.key}`, does: `Go to ${place.title}`, run: () => this.go(place.address) })),
    { keys: 'g i', does: 'Go to Inbox', run: () => this.go('inbox') },
    { keys: '?', does: 'Show this list', run: () => this.open('keys') },
  ]);
  protected readonly commands = computed(() => this.shortcuts().filter((one) => one.does !== 'Search'));

  constructor() {
    const keyboard = inject(Keyboard);
    keyboard.use(this.shortcuts());
    inject(DestroyRef).onDestroy(() => keyboard.use([]));
  }

  protected open(what: Open): void {
    if (!this.opened()) this.from = focused();
    if (this.opened() === what) {
      this.close();
      return;
    }
    this.opened.set(what);
    // drawn before the next key: letters typed right after Ctrl+K belong in the field
    this.application.tick();
  }

  /** Away with what is open, and the focus back to where it was, before the next key: see `cancel` of the dialogs, which
   * is heard while Escape is still handled, where `close` waits for its turn. */
  protected close(): void {
    this.opened.set(null);
    this.application.tick();
    if (this.from?.isConnected) this.from.focus();
    else this.link.focus();
  }

  private go(address: string): void {
    void this.router.navigate(['/pages', address], { replaceUrl: true });
  }
}
