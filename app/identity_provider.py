"""Sign-in by the company's own identity provider (OpenID Connect, authorization code with PKCE), where there is one.

It says who somebody is, never what they may do here: the person must exist with that address, and keeps the role an
admin gave them. What belongs to one attempt lies in the browser that made it, so that nobody can finish another's.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import TypeAdapter

from app.errors import IdentityProviderFailed
from app.front import front_origin
from app.settings import get_settings

CALLBACK = "/api/session/provider/callback"
_SECONDS = 10.0
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # never "none", never a secret that both sides hold
_LEEWAY_SECONDS = 60
# how a provider says that it saw a second factor (RFC 8176)
_SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face", "iris", "sc", "sms", "tel", "pop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in that has begun: kept by the browser until the provider sends it back."""

    state: str
    nonce: str
    verifier: str
    next: str

    def packed(self) -> str:
        """As the text of a cookie."""
        return base64.urlsafe_b64encode(_ATTEMPT.dump_json(self)).decode()

    @classmethod
    def unpacked(cls, text: str) -> "Attempt":
        """The attempt of a cookie. Raises IdentityProviderFailed for anything else."""
        try:
            return _ATTEMPT.validate_json(base64.urlsafe_b64decode(text))
        except ValueError:  # pydantic's and base64's errors are both of this class
            raise IdentityProviderFailed("This sign-in did not begin in this browser, or took too long.") from None


_ATTEMPT = TypeAdapter(Attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the provider says: whose address, whether it saw a second factor, and when it last saw the person prove
    themselves (None: it does not say)."""

    email: str
    has_second_factor: bool
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Who the provider is, and what it knows us by."""

    issuer: str
    client_id: str


def _agreement() -> _Agreement:
    settings = get_settings()
    if not settings.oidc_issuer or not settings.oidc_client_id:
        raise IdentityProviderFailed("There is no identity provider.")
    return _Agreement(settings.oidc_issuer, settings.oidc_client_id)


def name() -> str | None:
    """The provider's name for people; None without one."""
    settings = get_settings()
    return settings.oidc_name if settings.oidc_issuer and settings.oidc_client_id else None


@lru_cache(maxsize=4)
def _described(issuer: str, hour: int) -> dict[str, Any]:
    """The provider's description of itself, read anew every hour."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    answer = httpx.get(address, timeout=_SECONDS).raise_for_status().json()
    if answer.get("issuer") != issuer:
        raise IdentityProviderFailed("The identity provider names itself differently.")
    return answer


def _provider(issuer: str, now: datetime) -> dict[str, Any]:
    try:
        return _described(issuer, int(now.timestamp() // 3600))
    except (httpx.HTTPError, ValueError, AttributeError):
        raise IdentityProviderFailed("The identity provider does not answer.") from None


def _callback() -> str:
    return front_origin() + CALLBACK


def _challenge(verifier: str) -> str:
    """What is sent ahead of the verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _exchanged(endpoint: str, client_id: str, *, code: str, verifier: str) -> str:
    """The signed statement about the person, for the code. Raises httpx.HTTPError, ValueError, KeyError."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _callback(),
        "code_verifier": verifier,
    }
    secret = get_settings().oidc_client_secret
    if secret is None:
        answer = httpx.post(endpoint, data={**form, "client_id": client_id}, timeout=_SECONDS)
    else:
        # both halves are encoded before they are joined (RFC 6749, 2.3.1)
        named = httpx.BasicAuth(quote_plus(client_id), quote_plus(secret.get_secret_value()))
        answer = httpx.post(endpoint, data=form, auth=named, timeout=_SECONDS)
    return answer.raise_for_status().json()["id_token"]


def begin(*, next_page: str, is_fresh: bool, now: datetime) -> tuple[str, Attempt]:
    """Where the browser goes, and what it must keep meanwhile. With `is_fresh` the provider must ask the person again,
    however long ago it last did. Raises IdentityProviderFailed.
    """
    ours = _agreement()
    provider = _provider(ours.issuer, now)
    attempt = Attempt(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        next=next_page,
    )
    question = {
        "response_type": "code",
        "client_id": ours.client_id,
        "redirect_uri": _callback(),
        "scope": "openid email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": _challenge(attempt.verifier),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if is_fresh else {}),
    }
    return str(httpx.URL(provider["authorization_endpoint"]).copy_merge_params(question)), attempt


def finish(attempt: Attempt, *, code: str, now: datetime) -> Proof:
    """What the provider says of who came back with `code`. Raises IdentityProviderFailed, with a sentence and no
    detail of what the provider said.
    """
    ours = _agreement()
    provider = _provider(ours.issuer, now)
    try:
        signed = _exchanged(provider["token_endpoint"], ours.client_id, code=code, verifier=attempt.verifier)
        keys = KeySet.import_key_set(httpx.get(provider["jwks_uri"], timeout=_SECONDS).raise_for_status().json())
        claims = jwt.decode(signed, keys, algorithms=_ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            now=lambda: int(now.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": ours.issuer},
            aud={"essential": True, "value": ours.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        ).validate(claims)
    except (httpx.HTTPError, JoseError, KeyError, TypeError, ValueError):
        raise IdentityProviderFailed("The identity provider's answer could not be checked.") from None
    return _proof(claims, ours.client_id)


def _proof(claims: dict[str, Any], client_id: str) -> Proof:
    # with several audiences the one that asked is named apart (OpenID Connect Core, 3.1.3.7)
    if claims.get("azp", client_id) != client_id:
        raise IdentityProviderFailed("The identity provider's answer is for somebody else.")
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise IdentityProviderFailed("The identity provider does not vouch for an e-mail address.")
    methods, proven = claims.get("amr"), claims.get("auth_time")
    return Proof(
        email=email,
        has_second_factor=isinstance(methods, list) and not _SECOND_FACTORS.isdisjoint(methods),
        proven_at=datetime.fromtimestamp(proven, UTC) if isinstance(proven, int) else None,
    )
