import { isPage } from './places';

describe('a page of the frame', () => {
  it.each(['my-day', 'account', 'settings', 'inbox'])('is %s', (address) => {
    expect(isPage(address)).toBe(true);
  });

  it.each(['..', '../x', 'A', '', '/x', 'my_day', '%2e', 'nonsense', 'home', 'sign-in', 'constructor'])('is not %s', (address) => {
    expect(isPage(address)).toBe(false);
  });
});
