"""/session: the one door. The session is an opaque id in an HttpOnly cookie; the database keeps its hash only."""

from fastapi import APIRouter, Request, Response

from api.deps import Anybody, Db, Reader
from api.models.session import Credentials, Person
from app import auth, clock
from app.auth import Identity
from app.settings import get_settings

router = APIRouter(prefix="/session", tags=["session"])


def _person(identity: Identity) -> Person:
    return Person(
        user_id=identity.user_id,
        email=identity.email,
        display_name=identity.display_name,
        role=identity.role,
        owner_email=identity.owner_email,
        permissions=sorted(auth.PERMISSIONS[identity.role]),
    )


@router.post("", status_code=201, dependencies=[Anybody])
def sign_in(credentials: Credentials, request: Request, response: Response, db: Db) -> Person:
    """Sign in; sets the session cookie. The session a request came with ends, so that none can be planted."""
    now = clock.real_now()
    token, identity = auth.sign_in(
        db,
        email=credentials.email,
        password=credentials.password,
        address=request.client.host if request.client else "unknown",
        user_agent=request.headers.get("user-agent"),
        now=now,
    )
    auth.sign_out(db, token=request.cookies.get(auth.SESSION_COOKIE), now=now)
    settings = get_settings()
    response.set_cookie(
        auth.SESSION_COOKIE,
        token,
        max_age=settings.session_absolute_minutes * 60,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.api_url.startswith("https://"),
    )
    return _person(identity)


@router.get("")
def current_session(identity: Reader) -> Person:
    """Who is signed in."""
    return _person(identity)


@router.delete("", status_code=204, dependencies=[Anybody])
def sign_out(request: Request, db: Db) -> Response:
    """End the session on the server and clear the cookie. Harmless when nobody is signed in."""
    auth.sign_out(db, token=request.cookies.get(auth.SESSION_COOKIE), now=clock.real_now())
    answer = Response(status_code=204)
    answer.delete_cookie(auth.SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    return answer
