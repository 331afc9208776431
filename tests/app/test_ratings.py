"""What people think of an account: their own accounts only, and never rewritten."""

import pytest
from sqlalchemy import text

from app import ratings
from app.auth import Identity, Role
from app.errors import IdempotencyConflict, InvalidInput, NotFound, NotPermitted
from app.ratings import Rating
from tests.app.factories import NOW, Estate, a_key, key_of


def rate(estate: Estate, actor: Identity, score: int = 4, *, account: str = "Ashford Media", key: str = "") -> Rating:
    with estate.work() as db:
        return ratings.rate(
            db,
            actor=actor,
            now=NOW,
            account_key=key_of(account),
            score=score,
            note="  ",
            idempotency_key=key or a_key(),
        )


def rewrite(estate: Estate) -> None:
    with estate.work() as db:
        db.execute(text("update app.account_ratings set score = 5"))


def test_a_rating_is_kept_with_its_meaning_and_the_newest_comes_first(estate: Estate, maya: Identity) -> None:
    estate.publish()
    account_key = estate.account()
    first = rate(estate, maya, 2, key="once")

    assert rate(estate, maya, 2, key="once") == first
    with pytest.raises(IdempotencyConflict):
        rate(estate, maya, 3, key="once")
    rate(estate, maya, 5)

    with estate.work() as db:
        found = ratings.ratings(db, account_key)
    assert [(one.score, one.meaning, one.note) for one in found] == [
        (5, ratings.MEANINGS[5], None),
        (2, ratings.MEANINGS[2], None),
    ]
    with pytest.raises(Exception, match="append-only"):
        rewrite(estate)


def test_a_csm_rates_their_own_accounts_an_admin_any_and_an_analyst_none(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    estate.publish()
    estate.account()
    for stranger in (estate.user("Tom Okafor"), estate.user("Alex Stone", Role.ANALYST)):
        with pytest.raises(NotPermitted):
            rate(estate, stranger)

    assert rate(estate, admin).rated_by_name == admin.display_name
    with pytest.raises(InvalidInput, match="1 to 5"):
        rate(estate, maya, 6)
    with pytest.raises(NotFound):
        rate(estate, maya, account="Nobody Ltd")
