"""/gate: what the front door asks before it lets anybody to the pages or to the orchestrator.

Only the front door reaches these routes. 204 lets a request through and names the person in headers; everything else is
what the visitor gets: a page that was opened in a tab of its own leads to the sign-in, or from the orchestrator's host
name to where a session is handed over to it (hand_over.py), or to a sentence for a role that may not pass; all else is
refused.
"""

import secrets
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.deps import Db, Policy
from app import auth, clock, tickets
from app.auth import Door, Identity, Permission
from app.errors import NotAuthenticated, NotPermitted, SecondFactorRequired, SessionNeeded
from app.front import front_origin, own_path

router = APIRouter(prefix="/gate", include_in_schema=False)
# the page of the shell that says so: every role may read, only the orchestrator refuses a role
FOR_ADMINS = "/to-orchestrator"


def is_page(request: Request) -> bool:
    """Whether a person opened an address, rather than a frame, a script or a socket of a page."""
    headers = request.headers
    return (
        headers.get("x-forwarded-method", "GET") == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def sign_in_address(wanted: str) -> str:
    """The sign-in page of the front, and where it leads afterwards: a path of ours or nothing."""
    ours = own_path(wanted)
    return f"{front_origin()}/sign-in" + (f"?next={quote(ours, safe='/')}" if ours else "")


class Gate(Policy):
    """The policy of a gate: a session (never a token), and who has none is led to where they get one."""

    takes_any_query = True  # the front door asks with the visitor's own

    def __init__(self, needs: Permission, *, door: Door = Door.PRODUCT) -> None:
        super().__init__(needs, needs_session=True, door=door)

    def _count(self, identity: Identity, secret: str | None) -> None:
        """Every file of a page passes the gate: that says nothing of how much somebody asks."""

    def _is_background(self, request: Request) -> bool:
        """Only an address that a person opened counts. Pages look for their server by themselves, and the orchestrator
        asks for news all day; what is done on a page is seen by the page.
        """
        return not is_page(request)

    def __call__(self, request: Request, db: Db) -> Identity:
        """The person. Raises NotAuthenticated or NotPermitted, or for a page a redirect."""
        try:
            return super().__call__(request, db)
        except (NotAuthenticated, SecondFactorRequired, SessionNeeded):
            if not is_page(request):
                raise
            raise HTTPException(302, "Sign in first.", self.led(request)) from None
        except NotPermitted:
            if not is_page(request):
                raise
            raise HTTPException(302, "This is for admins.", {"Location": f"{front_origin()}{FOR_ADMINS}"}) from None

    def led(self, request: Request) -> dict[str, str]:
        """The headers that lead a visitor on, and back to where they are."""
        return {"Location": sign_in_address(request.headers.get("x-forwarded-uri", "/"))}


class OrchestratorGate(Gate):
    """The gate of the orchestrator's host name: who has no cookie of that name is sent to ask for a ticket, with a word
    that the ticket will be bound to.
    """

    def __init__(self) -> None:
        super().__init__(Permission.OPEN_ORCHESTRATOR, door=Door.ORCHESTRATOR)

    def led(self, request: Request) -> dict[str, str]:
        """The headers that lead a visitor to a ticket, and back to where they are."""
        word = secrets.token_urlsafe(32)
        wanted = {
            "to": Door.ORCHESTRATOR.value,
            "asked": tickets.question(word),
            "next": own_path(request.headers.get("x-forwarded-uri", "/")) or "/",
        }
        kept = Response()
        kept.set_cookie(**auth.asking_cookie().kept(word))
        address = f"{front_origin()}/api/session/hand-over?{urlencode(wanted)}"
        return {"Location": address, "Set-Cookie": kept.headers["set-cookie"]}


def _let_in(identity: Identity, **more: str) -> Response:
    named = {"X-Auth-User": str(identity.user_id), "X-Auth-Role": identity.role.value}
    return Response(status_code=204, headers=named | more)


@router.get("/user", status_code=204)
def gate_user(identity: Annotated[Identity, Depends(Gate(Permission.READ))]) -> Response:
    """Whether the visitor is signed in."""
    return _let_in(identity)


@router.get("/admin", status_code=204)
def gate_admin(
    identity: Annotated[Identity, Depends(OrchestratorGate())],
) -> Response:
    """Whether the visitor may open the orchestrator, by the cookie of its own host name; `X-Auth-Recent: yes` when
    they may also launch."""
    is_recent = auth.is_recent(identity, now=clock.real_now())
    return _let_in(identity, **{"X-Auth-Recent": "yes" if is_recent else "no"})
