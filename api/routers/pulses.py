"""/accounts/{account_key}/pulses: how an account feels to its own CSM, said before they see what is suggested."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import AccountRater, Db, IdempotencyKey, Now, Reader
from api.models.data_issues import NewPulse, PulseList
from api.models.values import Text
from app.suggestions import pulses
from app.suggestions.pulses import Pulse

router = APIRouter(prefix="/accounts/{account_key}/pulses", tags=["suggestions"])


@router.get("")
def list_pulses(
    account_key: Text, identity: Reader, db: Db, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> PulseList:
    """Pulses of an account, newest first."""
    return PulseList(items=pulses.pulses(db, account_key, limit=limit))


@router.post("", status_code=201)
def give_pulse(
    account_key: Text, body: NewPulse, identity: AccountRater, db: Db, now: Now, key: IdempotencyKey
) -> Pulse:
    """Give an account of one's own a pulse. The context of a decision holds the newest one given before it."""
    return pulses.give(db, actor=identity, now=now, account_key=account_key, score=body.score, idempotency_key=key)
