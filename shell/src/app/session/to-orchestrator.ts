import { ChangeDetectionStrategy, Component } from '@angular/core';

import { Proof } from './proof';
import { ORCHESTRATOR } from './session';

/** Before the orchestrator: looking needs nothing more, launching needs a fresh proof. */
@Component({
  selector: 'app-to-orchestrator',
  imports: [Proof],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'entrance' },
  template: `
    <main class="entrance-card">
      <h1>Orchestrator</h1>
      <p>Runs, schedules and lineage. To start or stop runs, prove that it is you; it counts for a few minutes.</p>
      <app-proof button="Open, able to launch" [comesBackTo]="orchestrator" (proven)="go()" />
      <a [href]="orchestrator">Open to look only</a>
    </main>
  `,
})
export class ToOrchestrator {
  protected readonly orchestrator = ORCHESTRATOR;

  protected go(): void {
    location.assign(ORCHESTRATOR);
  }
}
