import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { firstValueFrom } from 'rxjs';

import type { components, operations, paths } from './schema';

export type Schemas = components['schemas'];

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operations<V extends Verb> = {
  [P in keyof paths]: paths[P] extends Record<V, infer O> ? (O extends object ? O : never) : never;
};
export type PathWith<V extends Verb> = { [P in keyof paths]: paths[P] extends Record<V, object> ? P : never }[keyof paths];
type Operation<P extends PathWith<V>, V extends Verb> = Operations<V>[P];

type Success<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 ? (R[S] extends { content: { 'application/json': infer B } } ? B : null) : never }[keyof R &
      (200 | 201)]
  : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : never;
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : Record<string, never>;

/** Every operation of the API by its address, typed from its description: `api.get('/search', { text })`. */
@Injectable({ providedIn: 'root' })
export class Api {
  private readonly http = inject(HttpClient);

  get<P extends PathWith<'get'>>(path: P, query?: Query<Operation<P, 'get'>>): Promise<Success<Operation<P, 'get'>>> {
    return this.read(path, query, {});
  }

  /** As `get`, asked by a timer: the service does not take it for somebody being there. */
  peek<P extends PathWith<'get'>>(path: P, query?: Query<Operation<P, 'get'>>): Promise<Success<Operation<P, 'get'>>> {
    return this.read(path, query, { 'X-Background': '1' });
  }

  private read<P extends PathWith<'get'>>(
    path: P,
    query: Query<Operation<P, 'get'>> | undefined,
    headers: Record<string, string>,
  ): Promise<Success<Operation<P, 'get'>>> {
    const params: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries<unknown>(query ?? {})) {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') params[name] = value;
    }
    return firstValueFrom(this.http.get<Success<Operation<P, 'get'>>>(`/api${path}`, { params, headers }));
  }

  /** A write; `key` makes sending it again harmless, and is made when the form is drawn. */
  post<P extends PathWith<'post'>>(
    path: P,
    body: Body<Operation<P, 'post'>>,
    key?: string,
  ): Promise<Success<Operation<P, 'post'>>> {
    const headers: Record<string, string> = key ? { 'Idempotency-Key': key } : {};
    return firstValueFrom(this.http.post<Success<Operation<P, 'post'>>>(`/api${path}`, body, { headers }));
  }

  put<P extends PathWith<'put'>>(path: P, body: Body<Operation<P, 'put'>>): Promise<null> {
    return firstValueFrom(this.http.put<null>(`/api${path}`, body));
  }

  delete(path: PathWith<'delete'>): Promise<null> {
    return firstValueFrom(this.http.delete<null>(`/api${path}`));
  }
}

/** A fresh request key. */
export function requestKey(): string {
  return crypto.randomUUID();
}

export type { operations };
