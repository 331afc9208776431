import { frameUrl, isSame, ownQuery, shellUrl } from './frame-address';

describe('the address of a page', () => {
  it('is the same query in both forms, but for what only the frame needs', () => {
    const address = { page: 'accounts', query: 'band=R&band=Y&search=a%26b' };
    const framed = frameUrl(address, 'dark');

    expect(framed).toBe('/app/accounts?band=R&band=Y&search=a%26b&embed=true&embed_options=dark_theme');
    expect(ownQuery(framed.split('?')[1] ?? '')).toBe(address.query);
    expect(shellUrl(address)).toBe('/pages/accounts?band=R&band=Y&search=a%26b');
  });

  it('without a query ends with the page', () => {
    expect(shellUrl({ page: 'my-day', query: '' })).toBe('/pages/my-day');
    expect(isSame({ page: 'my-day', query: '' }, { page: 'my-day', query: 'a=1' })).toBe(false);
  });
});
