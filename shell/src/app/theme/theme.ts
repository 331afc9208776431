import { Injectable, computed, effect, signal } from '@angular/core';

export type Choice = 'system' | 'light' | 'dark';
const STORED = 'theme';

function stored(): Choice {
  try {
    const value = localStorage.getItem(STORED);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

/** Light or dark: the system's, unless the person chose. Other tabs follow. */
@Injectable({ providedIn: 'root' })
export class Theme {
  private readonly system = matchMedia('(prefers-color-scheme: dark)');
  private readonly systemIsDark = signal(this.system.matches);
  readonly choice = signal<Choice>(stored());
  readonly shown = computed(() => (this.choice() === 'system' ? (this.systemIsDark() ? 'dark' : 'light') : this.choice()) as 'light' | 'dark');

  constructor() {
    this.system.addEventListener('change', (change) => this.systemIsDark.set(change.matches));
    window.addEventListener('storage', (change) => {
      if (change.key === STORED) this.choice.set(stored());
    });
    effect(() => {
      const choice = this.choice();
      if (choice === 'system') delete document.documentElement.dataset['theme'];
      else document.documentElement.dataset['theme'] = choice;
    });
  }

  choose(choice: Choice): void {
    this.choice.set(choice);
    try {
      if (choice === 'system') localStorage.removeItem(STORED);
      else localStorage.setItem(STORED, choice);
    } catch {
      // holds for this visit only
    }
  }
}
