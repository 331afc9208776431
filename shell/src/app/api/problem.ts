import { HttpErrorResponse } from '@angular/common/http';

import type { Schemas } from './client';

export type Problem = Schemas['Problem'];

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;
}

/** What an error says to a person: what happened, then what to do. */
export function sentence(error: unknown): string {
  if (error instanceof HttpErrorResponse) {
    const problem: unknown = error.error;
    if (isProblem(problem)) {
      const fields = problem.errors.map((one) => one.message).filter((text) => text !== problem.detail);
      return [problem.detail, ...fields, problem.hint].filter(Boolean).join(' ');
    }
    if (error.status === 0 || error.status >= 502) {
      return 'The service does not answer right now. What you typed is kept: try again in a moment.';
    }
  }
  return 'Something went wrong on our side. What you typed is kept: try again in a moment.';
}

/** The stable name of a refusal, for programs; null for anything else. */
export function codeOf(error: unknown): string | null {
  if (!(error instanceof HttpErrorResponse)) return null;
  const problem: unknown = error.error;
  return isProblem(problem) ? problem.code : null;
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof HttpErrorResponse && error.status === 401;
}
