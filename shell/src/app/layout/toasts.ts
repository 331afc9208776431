import { ChangeDetectionStrategy, Component, Injectable, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';

export interface Toast {
  readonly text: string;
  readonly link?: { readonly label: string; readonly page: string; readonly query: Readonly<Record<string, string>> };
}

const SHOWN_MS = 8_000;

/** What just happened, once, without taking the focus. */
@Injectable({ providedIn: 'root' })
export class Toasts {
  readonly current = signal<Toast | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;

  tell(toast: Toast): void {
    clearTimeout(this.timer);
    this.current.set(toast);
    this.timer = setTimeout(() => this.current.set(null), SHOWN_MS);
  }

  dismiss(): void {
    this.current.set(null);
  }
}

@Component({
  selector: 'app-toasts',
  imports: [RouterLink],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'toasts', role: 'status' },
  template: `
    @if (toasts.current(); as toast) {
      <div class="toast">
        <span>{{ toast.text }}</span>
        @if (toast.link; as link) {
          <a [routerLink]="['/pages', link.page]" [queryParams]="link.query" replaceUrl (click)="toasts.dismiss()">{{ link.label }}</a>
        }
      </div>
    }
  `,
})
export class ToastArea {
  protected readonly toasts = inject(Toasts);
}
