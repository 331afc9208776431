"""What routes ask for: a transaction, the person, the time, and proof that a request may be sent twice.

Authorisation stands on the route, as a dependency of class `Policy`; a test walks all routes and fails on one without.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy import Connection

from api.query import refuse_unknown
from api.turns import Turns
from app import api_tokens, auth, clock, front
from app.auth import Door, Identity, Permission
from app.db import unit_of_work
from app.errors import NotAuthenticated, NotPermitted, SessionNeeded
from app.rate_limits import rate_limits
from app.settings import get_settings

READ_ONLY = api_tokens.permissions_of((api_tokens.Scope.READ,))
SAFE_METHODS = frozenset({"GET", "HEAD"})
BACKGROUND_HEADER = "x-background"  # what the shell sends along with what it asks by itself


async def out_of_turn() -> AsyncIterator[Connection]:
    """As `transaction`, past the line: for whoever asks whether this process is well, which it is when it is busy."""
    async with contextmanager_in_threadpool(unit_of_work()) as db:
        yield db


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """One connection a request, committed before the answer leaves: a 2xx means that it is in the database.

    Raises Overloaded when too many wait for theirs.
    """
    turns: Turns = request.app.state.turns
    async with turns.one(), contextmanager_in_threadpool(unit_of_work()) as db:
        yield db


# scope="function": FastAPI would otherwise commit after the answer has been sent.
Db = Annotated[Connection, Depends(transaction, scope="function")]
DbOutOfTurn = Annotated[Connection, Depends(out_of_turn, scope="function")]


def client_address(request: Request) -> str:
    """Where the request came from."""
    return front.client_address(request.headers, request.client.host if request.client else None)


def session_token(request: Request) -> str | None:
    """The session cookie; it proves nothing until the sessions table has been asked."""
    return _cookie(request, Door.PRODUCT)


def _cookie(request: Request, door: Door) -> str | None:
    return request.cookies.get(auth.session_cookie(door).name)


def _bearer(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody who is about to sign in: from where, with which browser, and the session they came with, if any."""

    address: str
    user_agent: str | None
    held: str | None

    def enter(self, db: Connection, answer: Response, *, token: str, now: datetime) -> None:
        """Let the browser keep its new session. The one it came with ends, so that none can be planted."""
        auth.sign_out(db, token=self.held, now=now)
        answer.set_cookie(**auth.session_cookie().kept(token))


def arrival(request: Request) -> Arrival:
    """Who is about to sign in."""
    return Arrival(
        address=client_address(request), user_agent=request.headers.get("user-agent"), held=session_token(request)
    )


class Policy:
    """Who may call a route: a signed-in person whose role has the permission `needs`.

    For a permission that reaches own things only, the service decides on the thing; here the role must have it at all.
    `is_recent`: only within minutes of proving who one is. `may_enrol`: also for somebody whose role needs a second
    factor that they are about to set up. `needs_session`: not with a token. `door`: whose cookie counts.

    Every request of a known person counts against how often one may ask; a token is counted apart from its person, so
    that a program that runs wild does not keep somebody from their screen. `takes_any_query`: the query is somebody
    else's, and what is not known in it is passed over.
    """

    takes_any_query = False

    def __init__(
        self,
        needs: Permission,
        *,
        needs_session: bool = False,
        is_recent: bool = False,
        may_enrol: bool = False,
        door: Door = Door.PRODUCT,
    ) -> None:
        self.needs = needs
        self.door = door
        self.needs_session = needs_session or is_recent or may_enrol
        self.is_recent = is_recent
        self.may_enrol = may_enrol

    def __call__(self, request: Request, db: Db) -> Identity:
        """The person. Raises NotAuthenticated, TooManyRequests, NotPermitted, or RequestValidationError for a query
        that the route does not know.
        """
        secret = _bearer(request)
        identity = self._whose(request, db, secret)
        if identity is None:
            raise NotAuthenticated("You are not signed in.", hint="Sign in and try again; nothing you sent is lost.")
        self._count(identity, secret)
        if self.needs_session and secret is not None:
            raise SessionNeeded()
        if self.needs not in identity.permissions:
            raise auth.refusal(identity, self.needs)
        if identity.limited_to == READ_ONLY and request.method not in SAFE_METHODS:
            raise NotPermitted("This token may only read.", hint="Make one with the scope that this needs.")
        if self.is_recent:
            auth.require_recent(identity, now=clock.real_now())
        if not self.takes_any_query:
            refuse_unknown(request)
        return identity

    def _count(self, identity: Identity, secret: str | None) -> None:
        settings = get_settings()
        whose = str(identity.user_id) if secret is None else blake2b(secret.encode("utf-8", "replace")).hexdigest()
        rate_limits().count("requests", whose, per_minute=settings.api_requests_per_minute)
        if self.needs is Permission.EXPORT:
            rate_limits().count("exports", whose, per_minute=settings.api_exports_per_minute)

    def _whose(self, request: Request, db: Connection, secret: str | None) -> Identity | None:
        if secret is not None:
            # a token is used alone: a cookie that came along decides nothing
            return api_tokens.resolve(db, secret=secret, now=clock.real_now())
        return auth.resolve(
            db,
            token=_cookie(request, self.door),
            now=clock.real_now(),
            may_enrol=self.may_enrol,
            door=self.door,
            is_background=self._is_background(request),
        )

    def _is_background(self, request: Request) -> bool:
        """Whether a timer asks and no person: the session is looked up, and not kept from ending for idleness."""
        return request.method in SAFE_METHODS and BACKGROUND_HEADER in request.headers


class Public:
    """The policy of the few routes that everybody may call. `takes_any_query` as for `Policy`."""

    def __init__(self, *, takes_any_query: bool = False) -> None:
        self.takes_any_query = takes_any_query

    def __call__(self, request: Request) -> None:
        """Let them in. Raises RequestValidationError for a query that the route does not know."""
        if not self.takes_any_query:
            refuse_unknown(request)


def business_now(db: Db) -> datetime:
    """The time the data lives in, UTC."""
    return clock.business_now(db)


Anybody = Depends(Public())
Now = Annotated[datetime, Depends(business_now)]
Reader = Annotated[Identity, Depends(Policy(Permission.READ))]
ActionCreator = Annotated[Identity, Depends(Policy(Permission.CREATE_ACTION))]
NoteAuthor = Annotated[Identity, Depends(Policy(Permission.ADD_NOTE))]
ActionWorker = Annotated[Identity, Depends(Policy(Permission.WORK_ACTION))]
SuggestionAnswerer = Annotated[Identity, Depends(Policy(Permission.ANSWER_SUGGESTION))]
AccountRater = Annotated[Identity, Depends(Policy(Permission.RATE_ACCOUNT))]
DataIssueResolver = Annotated[Identity, Depends(Policy(Permission.RESOLVE_DATA_ISSUE))]
Claimer = Annotated[Identity, Depends(Policy(Permission.CLAIM_ACTION))]
PlaybookStarter = Annotated[Identity, Depends(Policy(Permission.START_PLAYBOOK))]
ViewSaver = Annotated[Identity, Depends(Policy(Permission.SAVE_VIEW))]
Exporter = Annotated[Identity, Depends(Policy(Permission.EXPORT))]
SqlRunner = Annotated[Identity, Depends(Policy(Permission.RUN_SQL, needs_session=True))]
Somebody = Annotated[Identity, Depends(Policy(Permission.READ, needs_session=True, may_enrol=True))]
ClientAddress = Annotated[str, Depends(client_address)]
Arriving = Annotated[Arrival, Depends(arrival)]
SessionToken = Annotated[str | None, Depends(session_token)]
Assigner = Annotated[Identity, Depends(Policy(Permission.ASSIGN))]

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="Made by the client when the form is drawn; sending it again gives the first answer again.",
    ),
]
