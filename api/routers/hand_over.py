"""/session/hand-over and /gate/hand-over: how an admin who is signed in comes to the orchestrator's host name.

A cookie stays with its host name, so the orchestrator's gate leads a visitor without one here; here they get a ticket
and are led back, and there the ticket becomes a cookie of that name. Both addresses come from the environment, none
from the request.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.deps import Anybody, Db
from api.routers.gate import ORCHESTRATOR, Gate, is_page
from app import auth, clock, tickets
from app.auth import Door, Identity, Permission
from app.settings import get_settings

router = APIRouter(tags=["gate"])


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
    identity: Annotated[Identity, Depends(Gate(Permission.OPEN_ORCHESTRATOR, comes_back_to=ORCHESTRATOR))],
    db: Db,
) -> Response:
    """Lead an admin on to the orchestrator, with a ticket that opens it once."""
    _opened_by_a_person(request)
    assert identity.session_id is not None  # noqa: S101 - a gate lets in sessions only
    ticket = tickets.issue(db, session_id=identity.session_id, door=Door(to), now=clock.real_now())
    return _led_to(f"{get_settings().orchestrator_site}/hand-over?ticket={ticket}")


@router.get("/gate/hand-over", status_code=303, dependencies=[Anybody])
def take_over(request: Request, db: Db, ticket: str = "") -> Response:
    """Take the ticket for a cookie of the orchestrator's name. A cookie that works stays, a bad ticket gives none: in
    every case the orchestrator's own gate decides what follows."""
    _opened_by_a_person(request)
    cookie, now = auth.session_cookie(Door.ORCHESTRATOR), clock.real_now()
    answer = _led_to("/")
    held = request.cookies.get(cookie.name)
    if auth.resolve(db, token=held, now=now, may_enrol=True, door=Door.ORCHESTRATOR) is None:
        key = tickets.redeem(db, ticket=ticket, door=Door.ORCHESTRATOR, now=now)
        if key:
            answer.set_cookie(**cookie.kept(key))
    return answer
