"""/session: the one door. The session is an opaque id in an HttpOnly cookie; the database keeps its hash only."""

from fastapi import APIRouter, Response

from api.deps import Anybody, Arriving, ClientAddress, Db, SessionToken, Somebody
from api.models.session import Credentials, Person, Proof
from app import auth, clock
from app.auth import Identity

router = APIRouter(prefix="/session", tags=["session"])


def _person(identity: Identity) -> Person:
    return Person(
        user_id=identity.user_id,
        email=identity.email,
        display_name=identity.display_name,
        role=identity.role,
        owner_email=identity.owner_email,
        permissions=sorted(identity.permissions),
        must_enrol=identity.must_enrol,
        confirmed_at=identity.confirmed_at,
        is_recent=auth.is_recent(identity, now=clock.real_now()),
    )


@router.post("", status_code=201, dependencies=[Anybody])
def sign_in(credentials: Credentials, response: Response, db: Db, arrival: Arriving) -> Person:
    """Sign in; sets the session cookie. The session a request came with ends, so that none can be planted."""
    now = clock.real_now()
    token, identity = auth.sign_in(
        db,
        email=credentials.email,
        password=credentials.password,
        code=credentials.code,
        address=arrival.address,
        user_agent=arrival.user_agent,
        now=now,
    )
    arrival.enter(db, response, token=token, now=now)
    return _person(identity)


@router.get("")
def current_session(identity: Somebody) -> Person:
    """Who is signed in."""
    return _person(identity)


@router.post("/confirm", status_code=204)
def confirm_session(proof: Proof, identity: Somebody, db: Db, address: ClientAddress) -> Response:
    """Prove again who one is: for a while the session may do what needs a recent sign-in."""
    auth.confirm(db, identity=identity, password=proof.password, code=proof.code, address=address, now=clock.real_now())
    return Response(status_code=204)


@router.delete("", status_code=204, dependencies=[Anybody])
def sign_out(token: SessionToken, db: Db) -> Response:
    """End the session on the server and clear the cookie. Harmless when nobody is signed in."""
    auth.sign_out(db, token=token, now=clock.real_now())
    answer = Response(status_code=204)
    answer.delete_cookie(**auth.session_cookie().dropped())
    return answer
