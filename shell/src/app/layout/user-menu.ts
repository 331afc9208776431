import { ChangeDetectionStrategy, Component, ElementRef, computed, inject, output, signal, viewChild } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Work } from '../api/work';
import { ROLE_NAMES, Session } from '../session/session';
import { type Choice, Theme } from '../theme/theme';

@Component({
  selector: 'app-user-menu',
  imports: [RouterLink],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'user-menu', '(keydown.escape)': 'close(true)', '(window:blur)': 'close(false)', '(document:pointerdown)': 'onPointer($event)' },
  template: `
    <button
      #opener
      type="button"
      class="avatar"
      aria-haspopup="true"
      aria-controls="user-menu"
      [attr.aria-expanded]="isOpen()"
      [attr.aria-label]="'You: ' + (session.person()?.display_name ?? '')"
      (click)="isOpen.set(!isOpen())"
    >
      {{ initials() }}
    </button>
    @if (isOpen()) {
      <div class="menu" id="user-menu">
        <p class="who">
          <strong>{{ session.person()?.display_name }}</strong>
          <span>{{ session.person()?.email }}</span>
          <span>{{ roleName() }}</span>
        </p>
        <fieldset>
          <legend>Theme</legend>
          <div class="segments">
            @for (one of choices; track one.choice) {
              <label><input type="radio" name="theme" [value]="one.choice" [checked]="theme.choice() === one.choice" (change)="theme.choose(one.choice)" /><span>{{ one.label }}</span></label>
            }
          </div>
        </fieldset>
        <a routerLink="/pages/preferences" replaceUrl (click)="close(false)">Preferences</a>
        <a routerLink="/security" (click)="close(false)">Sign-in and security</a>
        @if (session.may('open_orchestrator')) {
          <a href="/to-orchestrator" target="_blank" rel="noopener" (click)="close(false)">Orchestrator</a>
        }
        <button type="button" (click)="close(true); keysWanted.emit()">Keyboard shortcuts <kbd>?</kbd></button>
        <button type="button" (click)="signOut()">Sign out</button>
        @if (work.problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }
      </div>
    }
  `,
})
export class UserMenu {
  protected readonly session = inject(Session);
  protected readonly theme = inject(Theme);
  private readonly host = inject<ElementRef<HTMLElement>>(ElementRef);
  private readonly opener = viewChild.required<ElementRef<HTMLButtonElement>>('opener');
  readonly keysWanted = output();
  protected readonly isOpen = signal(false);
  protected readonly work = new Work();
  protected readonly choices: readonly { choice: Choice; label: string }[] = [
    { choice: 'system', label: 'System' },
    { choice: 'light', label: 'Light' },
    { choice: 'dark', label: 'Dark' },
  ];
  protected readonly roleName = computed(() => ROLE_NAMES[this.session.role() ?? 'csm']);
  protected readonly initials = computed(() => {
    const names = (this.session.person()?.display_name ?? '').split(/\s+/).filter(Boolean);
    return [names[0], names.length > 1 ? names.at(-1) : undefined].map((name) => name?.charAt(0) ?? '').join('').toUpperCase();
  });

  protected close(returnsFocus: boolean): void {
    if (this.isOpen() && returnsFocus) this.opener().nativeElement.focus();
    this.isOpen.set(false);
  }

  protected onPointer(event: Event): void {
    if (event.target instanceof Node && !this.host.nativeElement.contains(event.target)) this.close(false);
  }

  protected signOut(): Promise<void> {
    return this.work.run(() => this.session.signOut());
  }
}
