import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';

import { Api, type Schemas } from '../api/client';
import { codeOf, sentence } from '../api/problem';
import { Proof } from './proof';
import { ROLE_NAMES } from './session';

type Requirement = Schemas['RoleRequirement'];

/** For admins: whose role needs a second factor. Who has none then can do nothing but set one up. */
@Component({
  selector: 'app-factor-roles',
  imports: [Proof],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @if (problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }
    @if (waiting(); as wanted) {
      <p>Prove first that it is you.</p>
      <app-proof (proven)="set(wanted)" />
    }
    <ul class="places">
      @for (one of roles(); track one.role) {
        <li>
          <span>{{ names[one.role] }}<span class="muted"> · {{ one.is_required ? 'needs a second factor' : 'may go without' }}</span></span>
          <button
            type="button"
            [disabled]="isBusy()"
            [attr.aria-label]="(one.is_required ? 'Require no longer of role ' : 'Require of role ') + names[one.role]"
            (click)="set({ role: one.role, is_required: !one.is_required })"
          >
            {{ one.is_required ? 'Require no longer' : 'Require' }}
          </button>
        </li>
      }
    </ul>
  `,
})
export class FactorRoles {
  private readonly api = inject(Api);
  protected readonly names = ROLE_NAMES;
  protected readonly roles = signal<readonly Requirement[]>([]);
  /** What was asked for and needs a fresh proof first. */
  protected readonly waiting = signal<Requirement | null>(null);
  protected readonly isBusy = signal(false);
  protected readonly problem = signal('');

  constructor() {
    void this.doing(() => this.load());
  }

  protected set(wanted: Requirement): Promise<void> {
    return this.doing(async () => {
      try {
        const path = `/second-factor/roles/${wanted.role}` as '/second-factor/roles/{role}';
        await this.api.put(path, { is_required: wanted.is_required });
        this.waiting.set(null);
      } catch (error) {
        if (codeOf(error) !== 'sign_in_again') throw error;
        this.waiting.set(wanted);
      }
      await this.load();
    });
  }

  private async load(): Promise<void> {
    this.roles.set(await this.api.get('/second-factor/roles'));
  }

  private async doing(work: () => Promise<void>): Promise<void> {
    this.isBusy.set(true);
    this.problem.set('');
    try {
      await work();
    } catch (error) {
      this.problem.set(sentence(error));
    } finally {
      this.isBusy.set(false);
    }
  }
}
