"""What a person does about their own sessions, second factor and tokens, and an admin about those of others."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.deps import ClientAddress, Db, Policy, SessionToken, Somebody
from api.models.identity import (
    Code,
    Ended,
    MadeToken,
    NewToken,
    Requirement,
    RoleRequirement,
    SecondFactorState,
)
from app import api_tokens, auth, clock, one_time_codes, second_factor, sessions
from app.api_tokens import ApiToken
from app.auth import Identity, Permission, Role
from app.second_factor import NewSecondFactor
from app.sessions import OpenSession

router = APIRouter(tags=["identity"])
Person = Annotated[Identity, Depends(Policy(Permission.READ, needs_session=True))]
Admin = Annotated[Identity, Depends(Policy(Permission.MANAGE_USERS, is_recent=True))]


@router.get("/sessions")
def list_sessions(identity: Person, db: Db) -> list[OpenSession]:
    """The person's sessions that work, the last used first."""
    return sessions.mine(db, actor=identity, now=clock.real_now())


@router.delete("/sessions")
def end_sessions(
    identity: Person, db: Db, token: SessionToken, response: Response, *, including_this: bool = False
) -> Ended:
    """End the person's other sessions, or with `including_this` all of them: sign out everywhere."""
    kept = None if including_this else token
    ended = sessions.end_others(db, actor=identity, now=clock.real_now(), token=kept)
    if including_this:
        response.delete_cookie(**auth.session_cookie().dropped())
    return Ended(ended_count=ended)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: UUID, identity: Person, db: Db) -> Response:
    """End one of the person's own sessions."""
    sessions.end(db, actor=identity, session_id=session_id, now=clock.real_now())
    return Response(status_code=204)


@router.get("/second-factor")
def second_factor_state(identity: Somebody, db: Db) -> SecondFactorState:
    """Whether the person has an authenticator app, and must have one."""
    return SecondFactorState(
        is_enrolled=one_time_codes.is_enrolled(db, identity.user_id),
        is_required=identity.role in second_factor.required_roles(db),
    )


@router.post("/second-factor", status_code=201)
def begin_second_factor(identity: Somebody, db: Db) -> NewSecondFactor:
    """Begin to set up an authenticator app; it counts once `/second-factor/confirm` has seen a code of it."""
    return second_factor.begin(db, actor=identity, now=clock.real_now())


@router.post("/second-factor/confirm", status_code=204)
def confirm_second_factor(
    body: Code, identity: Somebody, db: Db, address: ClientAddress, token: SessionToken
) -> Response:
    """The app shows the right code: from now on it is asked for."""
    second_factor.finish(db, actor=identity, code=body.code, address=address, token=token, now=clock.real_now())
    return Response(status_code=204)


@router.get("/second-factor/roles")
def list_second_factor_roles(
    identity: Annotated[Identity, Depends(Policy(Permission.MANAGE_USERS))], db: Db
) -> list[RoleRequirement]:
    """Each role, and whether its people must have a second factor."""
    required = second_factor.required_roles(db)
    return [RoleRequirement(role=role, is_required=role in required) for role in Role]


@router.put("/second-factor/roles/{role}", status_code=204)
def require_second_factor(role: Role, body: Requirement, identity: Admin, db: Db) -> Response:
    """Say whether the people of a role must have a second factor."""
    second_factor.require_for(db, actor=identity, role=role, is_required=body.is_required, now=clock.real_now())
    return Response(status_code=204)


@router.delete("/users/{user_id}/second-factor", status_code=204)
def remove_second_factor(user_id: UUID, identity: Admin, db: Db) -> Response:
    """Take somebody's lost authenticator app away; their sessions end."""
    second_factor.remove(db, actor=identity, user_id=user_id, now=clock.real_now())
    return Response(status_code=204)


@router.delete("/users/{user_id}/sessions")
def end_sessions_of(user_id: UUID, identity: Admin, db: Db) -> Ended:
    """End every session of somebody."""
    return Ended(ended_count=sessions.end_all_of(db, actor=identity, user_id=user_id, now=clock.real_now()))


@router.get("/tokens")
def list_tokens(identity: Person, db: Db) -> list[ApiToken]:
    """The person's own tokens that work."""
    return api_tokens.mine(db, actor=identity, now=clock.real_now())


@router.post("/tokens", status_code=201)
def create_token(wanted: NewToken, identity: Person, db: Db) -> MadeToken:
    """Make a token; needs a recent sign-in. Its secret is in this answer and nowhere else."""
    secret, made = api_tokens.create(
        db, actor=identity, name=wanted.name, scopes=[*wanted.scopes], days=wanted.days, now=clock.real_now()
    )
    return MadeToken(secret=secret, token=made)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: UUID, identity: Person, db: Db) -> Response:
    """Revoke one of the person's own tokens at once."""
    api_tokens.revoke(db, actor=identity, token_id=token_id, now=clock.real_now())
    return Response(status_code=204)
