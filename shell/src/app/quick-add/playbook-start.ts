import { ChangeDetectionStrategy, Component, ElementRef, input, output, viewChild } from '@angular/core';

import { sentence } from '../api/problem';
import { type WorkingDays, count, longDay, shortDay } from '../dates/day';
import { DayField } from './day-field';
import type { Draft } from './draft';
import type { PlaybookChoice } from './playbook-choice';
import { inWords } from './words';

/** A playbook in place of one action: chosen, then each step with its day and its person, before anything is made. */
@Component({
  selector: 'app-playbook-start',
  imports: [DayField],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'form-part' },
  template: `
    <div class="fields">
      <div class="field">
        <label for="add-playbook">Playbook</label>
        <select #playbook id="add-playbook" (change)="changed.emit({ playbookId: playbook.value })">
          <option value="" [selected]="!choice().chosen()">{{ choice().books.isLoading() ? 'Looking them up…' : 'Choose one to see its steps' }}</option>
          @for (one of choice().offered(); track one.playbook_id) {
            <option [value]="one.playbook_id" [selected]="one.playbook_id === choice().chosen()?.playbook_id">{{ one.name }} · {{ length(one.steps.length, one.steps.at(-1)?.offset_bd ?? 0) }}</option>
          }
        </select>
        @if (choice().books.hasValue() && !choice().offered().length) { <span class="day-words">There is none to start. An admin can publish one in Settings.</span> }
      </div>
      <app-day-field fieldId="add-starts" label="Starts on" [day]="choice().startsOn()" [days]="days()" (changed)="changed.emit({ startsOn: $event })" />
    </div>
    @if (choice().needsTaker()) {
      <div class="field">
        <label for="add-taker">Who takes over</label>
        <select #taker id="add-taker" (change)="changed.emit({ takerId: taker.value })">
          <option value="" [selected]="!choice().taker()">Choose a person to see the steps</option>
          @for (one of choice().takers(); track one.user_id) { <option [value]="one.user_id" [selected]="one.user_id === choice().taker()">{{ one.display_name }}</option> }
        </select>
      </div>
    }
    @if (choice().books.error(); as error) { <p class="notice bad" role="alert">{{ said(error) }}</p> }
    @if (choice().chosen(); as book) { <p class="muted">{{ book.description }}</p> }
    @else { <p class="muted">Each step becomes an action with a date and an owner. Nothing is made before you start it.</p> }
    @if (choice().running(); as run) {
      <p class="notice warn" role="status">
        {{ run.run.playbook_name }} is running here since {{ long(run.run.starts_on) }}: {{ run.done }} of {{ run.total }} steps are done. Finish or stop that one first.
      </p>
    }
    @if (choice().chosen() && !draft().accountKey) { <p class="notice">Choose the account: then its steps stand here with their dates.</p> }
    @if (choice().plan.error(); as error) { <p class="notice bad" role="alert">{{ said(error) }}</p> }
    @if (choice().plan.isLoading() && !choice().steps().length) { <div class="bone plan" role="status"><span class="sr-only">Working out the dates</span></div> }
    @if (choice().steps().length) {
      <!-- reached by the keyboard, since it scrolls -->
      <div class="plan" role="region" aria-label="Steps" tabindex="0">
        <table>
          <thead><tr><th scope="col">Step</th><th scope="col">Due</th><th scope="col">Owner</th></tr></thead>
          <tbody>
            @for (step of choice().steps(); track step.number) {
              <tr [title]="step.guidance"><td><span class="number">{{ step.number }}</span>{{ step.title }}<span class="what">{{ words(step.intervention) }}</span></td><td>{{ short(step.due_date) }}</td><td>{{ step.owner_name }}</td></tr>
            }
          </tbody>
        </table>
      </div>
    }
  `,
})
export class PlaybookStart {
  readonly draft = input.required<Draft>();
  readonly days = input.required<WorkingDays | null>();
  readonly choice = input.required<PlaybookChoice>();
  readonly changed = output<Partial<Draft>>();
  private readonly playbook = viewChild.required<ElementRef<HTMLSelectElement>>('playbook');
  protected readonly words = inWords;
  protected readonly said = sentence;
  protected readonly short = shortDay;
  protected readonly long = longDay;

  protected length(steps: number, lastDay: number): string {
    return `${count(steps, 'step')}, ${count(lastDay, 'business day')}`;
  }

  /** The field to begin with. */
  focus(): void {
    this.playbook().nativeElement.focus();
  }
}
