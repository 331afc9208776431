import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed, type ComponentFixture } from '@angular/core/testing';

import { Provider } from './provider';

describe('the way in by an identity provider', () => {
  async function drawn(provider: string | null): Promise<ComponentFixture<Provider>> {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    const fixture = TestBed.createComponent(Provider);
    fixture.componentRef.setInput('next', '/pages/accounts?view=mine');
    fixture.componentRef.setInput('isFresh', true);
    TestBed.inject(HttpTestingController).expectOne('/api/session/ways').flush({ provider });
    await fixture.whenStable();
    return fixture;
  }

  it('is a link that leads back to the page, with its name', async () => {
    const link = ((await drawn('Example SSO')).nativeElement as HTMLElement).querySelector('a');
    expect(link?.textContent.trim()).toBe('Sign in with Example SSO');
    expect(link?.getAttribute('href')).toBe('/api/session/provider?next=%2Fpages%2Faccounts%3Fview%3Dmine&fresh=true');
  });

  it('is not there without a provider', async () => {
    expect(((await drawn(null)).nativeElement as HTMLElement).querySelector('a')).toBeNull();
  });
});
