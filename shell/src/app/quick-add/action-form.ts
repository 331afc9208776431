import { ChangeDetectionStrategy, Component, ElementRef, computed, inject, input, output, resource, viewChild } from '@angular/core';

import { Api, type Schemas } from '../api/client';
import { priorityValues } from '../api/schema';
import type { WorkingDays } from '../dates/day';
import { Session } from '../session/session';
import { Combobox, type Option } from './combobox';
import { DayField } from './day-field';
import { type Draft, proposed } from './draft';
import { inWords } from './words';

/** The fields of one action, but for its account. */
@Component({
  selector: 'app-action-form',
  imports: [Combobox, DayField],
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'form-part' },
  template: `
    <div class="field">
      <label for="add-what">Title <span class="muted">optional</span></label>
      <input #what id="add-what" maxlength="200" [value]="draft().title" (input)="changed.emit({ title: what.value })" [placeholder]="untitled()" />
    </div>
    <div class="fields">
      <div class="field">
        <label for="add-intervention">What to do</label>
        <select #intervention id="add-intervention" (change)="changed.emit({ intervention: intervention.value, actionType: '' })">
          @for (one of starting()?.interventions; track one.code) { <option [value]="one.code" [selected]="one.code === shown().intervention">{{ one.label }}</option> }
        </select>
      </div>
      <div class="field">
        <label for="add-type">Kind</label>
        <select #type id="add-type" (change)="changed.emit({ actionType: type.value })">
          @for (one of starting()?.types; track one.code) { <option [value]="one.code" [selected]="one.code === shown().actionType">{{ one.label }}</option> }
        </select>
      </div>
      <app-day-field fieldId="add-due" label="Due" [day]="shown().dueDate" [days]="days()" (changed)="changed.emit({ dueDate: $event })" />
      <div class="field">
        <label for="add-priority">Priority</label>
        <select #priority id="add-priority" (change)="changed.emit({ priority: priority.value })">
          @for (code of priorities; track code) { <option [value]="code" [selected]="code === shown().priority">{{ words(code) }}</option> }
        </select>
      </div>
      <div class="field" [class.wide]="!mayAssign">
        <label for="add-stakeholder">Stakeholder <span class="muted">optional</span></label>
        <app-combobox
          fieldId="add-stakeholder"
          label="Stakeholders"
          [isFree]="true"
          [text]="draft().stakeholder"
          [options]="stakeholders()"
          [placeholder]="stakeholderHint()"
          [nothing]="noStakeholders()"
          (typed)="changed.emit({ stakeholder: $event })"
          (chosen)="changed.emit({ stakeholder: $event.title })"
        />
      </div>
      @if (mayAssign) {
        <div class="field">
          <label for="add-owner">Owner</label>
          <select #owner id="add-owner" (change)="changed.emit({ ownerId: owner.value })">
            <option value="" [selected]="!draft().ownerId">Nobody yet: the unassigned queue</option>
            @for (one of owners(); track one.user_id) { <option [value]="one.user_id" [selected]="one.user_id === draft().ownerId">{{ one.display_name }}</option> }
          </select>
        </div>
      }
    </div>
    <div class="field">
      <label for="add-reason">Why now <span class="muted">optional</span></label>
      <input #reason id="add-reason" maxlength="200" list="add-reasons" autocomplete="off" [value]="draft().reason" (input)="changed.emit({ reason: reason.value })" />
      <datalist id="add-reasons">
        @for (label of reasons(); track label) { <option [value]="label"></option> }
      </datalist>
    </div>
  `,
})
export class ActionForm {
  private readonly api = inject(Api);
  readonly draft = input.required<Draft>();
  /** What the admins offer, and what it starts with; null until it has come. */
  readonly starting = input.required<Schemas['Starting'] | null>();
  readonly days = input.required<WorkingDays | null>();
  readonly changed = output<Partial<Draft>>();
  private readonly what = viewChild.required<ElementRef<HTMLInputElement>>('what');

  protected readonly priorities = priorityValues;
  protected readonly words = inWords;
  protected readonly shown = computed(() => proposed(this.draft(), this.starting()));
  protected readonly untitled = computed(() => {
    const { intervention } = this.shown();
    const label = this.starting()?.interventions.find((one) => one.code === intervention)?.label;
    return label ? `${label}, unless you name it` : '';
  });
  protected readonly reasons = computed(() => {
    const type = this.shown().actionType;
    return this.starting()?.reasons.filter((one) => one.action_type === type).map((one) => one.label) ?? [];
  });

  /** Whom an admin may give it to; others add to their own. */
  protected readonly mayAssign = inject(Session).may('assign');
  private readonly people = resource({ params: () => this.mayAssign || undefined, loader: () => this.api.get('/workload') });
  protected readonly owners = computed(() => (this.people.hasValue() ? this.people.value().items : []));

  private readonly contacts = resource({
    params: () => this.draft().accountKey || undefined,
    loader: ({ params }) => this.api.get(`/accounts/${encodeURIComponent(params)}/contacts` as '/accounts/{account_key}/contacts'),
  });
  private readonly known = computed(() => {
    // one of each name, since it is the name that is stored
    const named = new Map<string, Option>();
    for (const one of this.contacts.hasValue() ? this.contacts.value().items : []) {
      if (!one.contact_name || named.has(one.contact_name)) continue;
      const role = one.stakeholder_role && one.stakeholder_role !== 'unknown' ? inWords(one.stakeholder_role).toLowerCase() : null;
      named.set(one.contact_name, { key: one.contact_key, title: one.contact_name, note: [one.job_title, role].filter(Boolean).join(' · ') });
    }
    return [...named.values()];
  });
  protected readonly stakeholders = computed(() => {
    const typed = this.draft().stakeholder.trim().toLowerCase();
    // a name that stands there whole was chosen: the list opens again on everybody
    if (this.known().some((one) => one.title.toLowerCase() === typed)) return this.known();
    return this.known().filter((one) => `${one.title} ${one.note}`.toLowerCase().includes(typed));
  });
  protected readonly stakeholderHint = computed(() => {
    if (!this.draft().accountKey) return 'Choose the account first, or type a name';
    if (this.contacts.isLoading()) return 'Looking up their people…';
    return this.known().length ? 'Choose, or type a name' : 'Type a name';
  });
  protected readonly noStakeholders = computed(() => {
    if (!this.draft().accountKey || this.contacts.isLoading()) return '';
    if (this.contacts.error()) return 'Their people can not be looked up right now: type a name.';
    return this.known().length ? 'Nobody known there has this name: it is stored as typed.' : 'No people of this account are known: type a name.';
  });

  /** The field to begin with. */
  focus(): void {
    this.what().nativeElement.focus();
  }
}
