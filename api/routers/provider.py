"""/session/provider: sign-in by the company's own identity provider. Both routes are opened by a browser, and lead on.

What goes wrong leads back to the sign-in page, which says it by the code in its address.
"""

import logging
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from api.deps import Anybody, Arriving, Db, Public
from api.errors import mapped
from api.models.session import Ways
from app import auth, clock, identity_provider
from app.errors import AppError, IdentityProviderFailed
from app.front import front_origin, own_path
from app.identity_provider import Attempt

router = APIRouter(prefix="/session", tags=["session"])
log = logging.getLogger("api")


def _to_sign_in(error: AppError) -> RedirectResponse:
    log.warning("sign-in by the identity provider: %s", error.message)
    answer = RedirectResponse(f"{front_origin()}/sign-in?{urlencode({'problem': mapped(error).code})}", 302)
    answer.delete_cookie(**auth.attempt_cookie().dropped())
    return answer


@router.get("/ways", dependencies=[Anybody])
def ways_to_sign_in() -> Ways:
    """Which ways to sign in there are besides the password."""
    return Ways(provider=identity_provider.name())


@router.get("/provider", status_code=302, response_class=RedirectResponse, dependencies=[Anybody])
def begin_at_provider(
    next_page: Annotated[str, Query(alias="next", max_length=2_000)] = "/",
    fresh: Annotated[bool, Query(description="Ask the person again, however long ago they signed in there.")] = False,
) -> RedirectResponse:
    """Go to the identity provider; it sends the browser back."""
    try:
        address, attempt = identity_provider.begin(
            next_page=own_path(next_page) or "/", is_fresh=fresh, now=clock.real_now()
        )
    except IdentityProviderFailed as error:
        return _to_sign_in(error)
    answer = RedirectResponse(address, 302)
    answer.set_cookie(**auth.attempt_cookie().kept(attempt.packed()))
    return answer


@router.get(
    "/provider/callback",
    status_code=302,
    response_class=RedirectResponse,
    # a provider says more than we asked for: `error`, `iss`, `session_state` (RFC 6749, 4.1.2: pass over the unknown)
    dependencies=[Depends(Public(takes_any_query=True))],
)
def come_back_from_provider(
    request: Request,
    db: Db,
    arrival: Arriving,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> RedirectResponse:
    """Open a session for whom the provider vouches. Only the browser that began can finish, once."""
    now = clock.real_now()
    try:
        attempt = Attempt.unpacked(request.cookies.get(auth.attempt_cookie().name, ""))
        if not code or attempt.state != state:
            raise IdentityProviderFailed("This sign-in did not begin here, or the provider refused it.")
        proof = identity_provider.finish(attempt, code=code, now=now)
        token, _ = auth.sign_in_by_provider(
            db,
            email=proof.email,
            has_second_factor=proof.has_second_factor,
            proven_at=proof.proven_at,
            address=arrival.address,
            user_agent=arrival.user_agent,
            now=now,
        )
    except AppError as error:
        return _to_sign_in(error)
    answer = RedirectResponse(front_origin() + (own_path(attempt.next) or "/"), 302)
    arrival.enter(db, answer, token=token, now=now)
    answer.delete_cookie(**auth.attempt_cookie().dropped())
    return answer
