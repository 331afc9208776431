import { HttpErrorResponse, HttpInterceptorFn } from '@angular/common/http';
import { Injector, inject } from '@angular/core';
import { catchError, throwError } from 'rxjs';

import { codeOf } from '../api/problem';
import { Session } from './session';

const PROVES = /\/session(\/confirm)?$/;

/** A 401 anywhere means that the session has ended; wrong credentials do not. */
export const sessionInterceptor: HttpInterceptorFn = (request, next) => {
  const injector = inject(Injector); // the session itself needs the client: asked for when it is needed
  return next(request).pipe(
    catchError((error: unknown) => {
      if (error instanceof HttpErrorResponse && error.status === 401 && !PROVES.test(request.url)) injector.get(Session).end();
      if (codeOf(error) === 'second_factor_required') injector.get(Session).mustEnrol();
      return throwError(() => error);
    }),
  );
};
