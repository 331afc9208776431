import { HttpErrorResponse } from '@angular/common/http';
import { firstValueFrom, throwError } from 'rxjs';

import { Work } from './work';

const refused = (code: string) => () =>
  firstValueFrom(throwError(() => new HttpErrorResponse({ status: 403, error: { code, detail: `Refused: ${code}.`, hint: '', errors: [] } })));

describe('work', () => {
  it('is busy until it has ended, well or not, and says what went wrong until it is tried again', async () => {
    const work = new Work();

    const first = work.run(refused('not_permitted'));
    expect(work.isBusy()).toBe(true);
    await first;
    expect([work.isBusy(), work.problem()]).toEqual([false, 'Refused: not_permitted.']);

    await work.run(() => Promise.resolve());
    expect(work.problem()).toBe('');
  });

  it('that needs a fresh proof waits for it, which is no problem; anything else is', async () => {
    const work = new Work<string>();

    await work.run(() => work.proven('a token', refused('sign_in_again')));
    expect([work.waiting(), work.problem()]).toEqual(['a token', '']);
    await work.run(() => work.proven('a token', () => Promise.resolve()));
    expect(work.waiting()).toBeNull();
    await work.run(() => work.proven('a token', refused('invalid_input')));
    expect([work.waiting(), work.problem()]).toEqual([null, 'Refused: invalid_input.']);
  });
});
