import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';

import { Api, type Schemas } from '../api/client';
import { Work } from '../api/work';
import { Proof } from './proof';
import { ROLE_NAMES } from './session';

type Requirement = Schemas['RoleRequirement'];

/** For admins: whose role needs a second factor. Who has none then can do nothing but set one up. */
@Component({
  selector: 'app-factor-roles',
  imports: [Proof],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @if (work.problem(); as text) { <p class="notice bad" role="alert">{{ text }}</p> }
    @if (work.waiting(); as wanted) {
      <p>Prove first that it is you.</p>
      <app-proof (proven)="set(wanted)" />
    }
    <ul class="places">
      @for (one of roles(); track one.role) {
        <li>
          <span>{{ names[one.role] }}<span class="muted"> · {{ one.is_required ? 'needs a second factor' : 'may go without' }}</span></span>
          <button
            type="button"
            [disabled]="work.isBusy()"
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
  protected readonly work = new Work<Requirement>();

  constructor() {
    void this.work.run(() => this.load());
  }

  protected set(wanted: Requirement): Promise<void> {
    return this.work.run(async () => {
      const path = `/second-factor/roles/${wanted.role}` as '/second-factor/roles/{role}';
      await this.work.proven(wanted, () => this.api.put(path, { is_required: wanted.is_required }));
      await this.load();
    });
  }

  private async load(): Promise<void> {
    this.roles.set(await this.api.get('/second-factor/roles'));
  }
}
