import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Proof } from './proof';
import { ORCHESTRATOR, Session } from './session';

/**
 * Before the orchestrator: looking needs nothing more, launching a fresh proof; who has just given one is led straight on.
 * The front door sends a role here that may not pass.
 */
@Component({
  selector: 'app-to-orchestrator',
  imports: [Proof, RouterLink],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'entrance' },
  template: `
    <main class="entrance-card">
      <h1>Orchestrator</h1>
      @if (!isFor()) {
        <p>The orchestrator is for admins. Ask one if you need to know how a run went.</p>
        <a routerLink="/">Back to your work</a>
      } @else if (isProven()) {
        <p role="status">Opening the orchestrator. <a [href]="orchestrator">Open it now</a></p>
      } @else {
        <p>Runs, schedules and lineage. To start or stop runs, prove that it is you; it counts for a few minutes.</p>
        <app-proof button="Open, able to launch" [comesBackTo]="orchestrator" (proven)="go()" />
        <a [href]="orchestrator">Open to look only</a>
      }
    </main>
  `,
})
export class ToOrchestrator {
  private readonly session = inject(Session);
  protected readonly orchestrator = ORCHESTRATOR;
  protected readonly isFor = computed(() => this.session.may('open_orchestrator'));
  protected readonly isProven = computed(() => this.session.person()?.is_recent ?? false);

  constructor() {
    // in place of this page, or the step back would lead on again
    if (this.isFor() && this.isProven()) location.replace(ORCHESTRATOR);
  }

  protected go(): void {
    location.assign(ORCHESTRATOR);
  }
}
