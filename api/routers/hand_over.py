"""/session/hand-over and /gate/hand-over: how an admin who is signed in comes to the orchestrator's host name.

A cookie stays with its host name, so the orchestrator's gate leads a visitor without one here; here they get a ticket
and are led back, and there the ticket becomes a cookie of that name: in the browser that asked for it, and in no other.
Both host names come from the environment; the request names no more than a path of the orchestrator's.
"""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from api.deps import Anybody, Db
from api.routers.gate import Gate, is_page, sign_in_address
from app import auth, clock, tickets
from app.auth import Door, Identity, Permission
from app.front import own_path
from app.settings import get_settings

router = APIRouter(tags=["gate"])
ORCHESTRATOR = "/orchestrator"  # the front door leads on from below here to the orchestrator's own address
Next = Annotated[str, Query(alias="next", max_length=2_000)]


class HandOverGate(Gate):
    """The gate before a ticket: who has no session signs in first, and then begins anew where they wanted to go."""

    takes_any_query = False

    def __init__(self) -> None:
        super().__init__(Permission.OPEN_ORCHESTRATOR)

    def led(self, request: Request) -> dict[str, str]:
        """The headers that lead a visitor to the sign-in."""
        wanted = own_path(request.query_params.get("next", "/")) or "/"
        return {"Location": sign_in_address(ORCHESTRATOR + wanted)}


def _opened_by_a_person(request: Request) -> None:
    """Raises 406 for what is no navigation: neither a picture in a text nor a script comes by a cookie this way."""
    if not is_page(request):
        raise HTTPException(406, "This address is opened in a browser.")


def _led_to(address: str) -> Response:
    return Response(status_code=303, headers={"Location": address})


@router.get("/session/hand-over", status_code=303)
def hand_over(
    to: Literal["orchestrator"],
    request: Request,
    identity: Annotated[Identity, Depends(HandOverGate())],
    db: Db,
    asked: Annotated[str, Query(pattern=r"^[\w-]{43}$", description="The question of the browser that asks.")],
    wanted: Next = "/",
) -> Response:
    """Lead an admin on to the orchestrator, with a ticket that opens it once, in the browser that asked."""
    _opened_by_a_person(request)
    assert identity.session_id is not None  # noqa: S101 - a gate lets in sessions only
    ticket = tickets.issue(db, session_id=identity.session_id, door=Door(to), now=clock.real_now(), asked=asked)
    given = urlencode({"ticket": ticket, "next": own_path(wanted) or "/"})
    return _led_to(f"{get_settings().orchestrator_site}/hand-over?{given}")


@router.get("/gate/hand-over", status_code=303, dependencies=[Anybody], include_in_schema=False)
def take_over(request: Request, db: Db, ticket: str = "", wanted: Next = "/") -> Response:
    """Take the ticket for a cookie of the orchestrator's name, where this browser asked for it. A cookie that works
    stays, a bad ticket gives none: in every case the orchestrator's own gate decides what follows."""
    _opened_by_a_person(request)
    cookie, now = auth.session_cookie(Door.ORCHESTRATOR), clock.real_now()
    answer = _led_to(own_path(wanted) or "/")
    held = request.cookies.get(cookie.name)
    if auth.resolve(db, token=held, now=now, may_enrol=True, door=Door.ORCHESTRATOR) is None:
        word = request.cookies.get(auth.asking_cookie().name)
        key = word and tickets.redeem(db, ticket=ticket, door=Door.ORCHESTRATOR, now=now, word=word)
        if key:
            answer.set_cookie(**cookie.kept(key))
    return answer
