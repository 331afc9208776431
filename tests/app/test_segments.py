"""Segments: who may see and change them, whom they hold today and on past days, and the rules that are tied to them."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import audit
from app.auth import Identity
from app.errors import InvalidInput, NotFound, NotPermitted, StaleVersion
from app.segments import members, service
from app.segments.criteria import RENEWAL_WINDOWS, Criteria, criteria_from, of_today
from app.segments.service import Segment
from app.suggestions import repository, rule_versions
from app.suggestions import service as suggestions
from app.suggestions.rule_versions import RuleVersion
from app.ui import data, portfolio
from app.ui.portfolio import AccountFilter
from tests.app.factories import AS_OF, NOW, Estate, a_key, key_of

TODAY = NOW.date()
MAYA = "maya.lind@force24.example"


def save(estate: Estate, actor: Identity, **values: Any) -> Segment:
    given = {"name": "At risk", "description": None, "criteria": {"risks": ["High"]}, "is_shared": True, "now": NOW}
    given |= values
    with estate.work() as db:
        return service.save(db, actor=actor, idempotency_key=given.pop("key", None) or a_key(), **given)


def archive(estate: Estate, actor: Identity, segment: Segment) -> None:
    with estate.work() as db:
        service.archive(
            db,
            actor=actor,
            now=NOW,
            segment_id=segment.segment_id,
            expected_version=segment.version,
            idempotency_key=a_key(),
        )


def names(estate: Estate, identity: Identity) -> list[str]:
    with estate.work() as db:
        return [one.name for one in service.list_segments(db, identity=identity)]


def test_a_private_segment_does_not_exist_for_a_colleague_and_only_its_owner_changes_a_shared_one(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    hidden = save(estate, maya, name="Mine", is_shared=False)
    shared = save(estate, maya)

    assert names(estate, tom) == ["At risk"]
    assert names(estate, maya) == ["At risk", "Mine"]
    with estate.work() as db, pytest.raises(NotFound):
        service.get_segment(db, identity=tom, segment_id=hidden.segment_id)
    with pytest.raises(NotPermitted):
        save(estate, tom, segment_id=shared.segment_id, expected_version=1)
    changed = save(estate, maya, segment_id=shared.segment_id, expected_version=1, description="For the Monday round")
    assert (changed.version, changed.description) == (2, "For the Monday round")
    with pytest.raises(StaleVersion):
        save(estate, maya, segment_id=shared.segment_id, expected_version=1)


def test_every_change_of_a_segment_is_in_the_trail_and_a_name_is_free_after_archiving(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    segment = save(estate, maya)
    with pytest.raises(InvalidInput, match="of this name already"):
        save(estate, maya, name="AT RISK")
    archive(estate, maya, segment)
    save(estate, maya)

    with estate.work() as db:
        told = audit.trail(db, actor=admin, subject=audit.Subject.SEGMENT)
        with pytest.raises(NotFound):
            service.get_segment(db, identity=maya, segment_id=segment.segment_id)
    assert [event.kind for event in told] == ["created", "ended", "created"]
    assert told[0].after["criteria"] == {"view": "all", "risks": ["High"]}


@pytest.mark.parametrize(
    "criteria",
    [
        {"view": "' or true --"},
        {"bands": ["' or true --"]},
        {"renewals": ["soon"]},
        {"is_idle": 1},
        {"search": ["x"]},
        {"search": "\x00"},
        {"owners": "Maya"},
        {"plans": ["p"] * 51},
        {"__proto__": {"role": "admin"}},
    ],
)
def test_what_no_filter_of_the_page_can_hold_is_no_segment(
    estate: Estate, maya: Identity, criteria: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        save(estate, maya, criteria=criteria)
    assert names(estate, maya) == []


def _several(estate: Estate) -> None:
    """Accounts that differ in everything a filter looks at, one of them gone."""
    tom = {"csm_email": "tom.okafor@force24.example", "csm_name": "Tom Okafor"}
    estate.publish()
    for name, values in {
        "Ashford Media": {"health_band": "R", "churn_risk_band": "High", "segment": "SMB", "plan": "Essentials"},
        "Borea (Energy)": {"churn_risk_band": "Low", "segment": "SMB", "plan": "Professional", **tom},
        "Castell Optics": {"health_band": None, "churn_risk_band": "Critical", "segment": "Enterprise"},
        "Dune Homes": {"health_band": "G", "churn_risk_band": "Low", "plan": "Essentials", **tom, "csm_email": None},
        "Elder 50%_ Bank": {"is_active": False},
    }.items():
        estate.account(name, **values)
    for name, days, contact in (
        ("Ashford Media", 30, 5),
        ("Borea (Energy)", 100, 120),
        ("Castell Optics", 400, None),
        ("Dune Homes", -5, 91),
    ):
        estate.set(
            "dim_accounts",
            key_of(name),
            renewal_date=TODAY + timedelta(days=days),
            last_contact_date=None if contact is None else TODAY - timedelta(days=contact),
        )
    estate.action(actor=estate.user(), account_key=key_of("Borea (Energy)"))


def test_a_segment_holds_the_accounts_that_the_page_shows_for_its_filter(estate: Estate) -> None:
    _several(estate)
    filters = [
        *(AccountFilter(view=view) for view in portfolio.VIEWS),
        *(AccountFilter(renewals=(window,)) for window in RENEWAL_WINDOWS),
        AccountFilter(renewals=("overdue", "later")),
        AccountFilter(search="(ener"),
        AccountFilter(search="50%_"),
        AccountFilter(search="DUNE.ex"),
        AccountFilter(bands=("–", "G")),
        AccountFilter(owners=("Tom Okafor",), segments=("SMB",)),
        AccountFilter(is_idle=True, plans=("Essentials",)),
        AccountFilter(risks=("High", "Critical"), view="silent"),
    ]

    with estate.work() as db:
        frame = data.counted_from(
            data.account_mart.portfolio_frame(db, today=TODAY).set_index("account_key", drop=False), TODAY
        )
        listed = data.with_next_actions(
            frame, data.service.list_actions(db, filter=data.ActionFilter(categories=data.OPEN), limit=50)
        )
        for chosen in filters:
            shown = sorted(portfolio.narrowed(listed, chosen, owner_emails=(MAYA,)).index)
            criteria = chosen.criteria(owner_emails=(MAYA,))
            assert members.account_keys(db, criteria_from(criteria.stored()), today=TODAY) == shown, chosen


def test_sizes_of_several_segments_are_one_statement(estate: Estate) -> None:
    _several(estate)
    one, other = uuid4(), uuid4()

    with estate.work() as db:
        with estate.counted() as seen:
            found = members.sizes(db, {one: Criteria(), other: Criteria(risks=("Low",))}, today=TODAY)
        assert len(seen) == 1
    assert (found[one].account_count, found[one].mrr_eur) == (4, 4600)
    assert found[other].account_count == 2


def test_the_size_of_a_past_day_is_told_from_what_was_known_then(estate: Estate) -> None:
    """Two accounts; one turned red on the last day and left; risk is kept for two days alone."""
    estate.publish()
    days = [AS_OF - timedelta(days=back) for back in (2, 1, 0)]
    stays, left = (
        estate.account("Ashford Media"),
        estate.account("Borea Energy", is_active=False, csm_name="Tom Okafor"),
    )
    kept = {"mrr_eur": 100, "renewal_date": AS_OF + timedelta(days=40), "last_contact_date": AS_OF}
    estate.health(stays, [40, 40, 40], **kept)
    estate.health(left, [40, 40], last=days[1], **kept)
    estate.transformer.execute(
        "update marts.fct_account_health_daily set band = 'R' where health_date >= %s", [days[1]]
    )
    estate.risk(stays, (0.6, "Critical"), (0.1, "Low"))
    estate.admin.execute("update marts.fct_account_health_daily set mrr_eur = null where health_date = %s", [days[0]])

    def size(criteria: Criteria) -> list[tuple[date, int, float | None]]:
        with estate.work() as db:
            found = members.history(db, criteria, days=days)
        return [(one.day, one.account_count, one.mrr_eur) for one in found]

    assert size(Criteria(bands=("R",))) == [(days[0], 0, 0), (days[1], 2, 200), (days[2], 1, 100)]
    assert size(Criteria())[0] == (days[0], 2, None)
    assert size(Criteria(risks=("Critical",))) == [(days[1], 1, 100), (days[2], 0, 0)]
    assert size(Criteria(owners=("Tom Okafor",), renewals=("90 days",)))[1] == (days[1], 1, 100)
    with estate.work() as db:
        assert members.account_keys_on(db, Criteria(bands=("R",)), day=days[1]) == sorted([stays, left])


def test_what_is_taken_as_of_today_is_named() -> None:
    assert of_today(Criteria(view="idle", owners=("Maya Lind",), bands=("R",))) == ("owner", "next action")
    assert of_today(Criteria(risks=("High",), renewals=("90 days",), view="silent")) == ()


# --- rules


def _active(estate: Estate) -> dict[str, Any]:
    with estate.work() as db:
        [(version, params)] = [row[1:] for row in repository.active_rules(db) if row[0] == "R1"]
    return {"version": version, **params}


def _limit(
    estate: Estate, actor: Identity, only_segment: UUID | None = None, except_segment: UUID | None = None, **given: Any
) -> RuleVersion:
    wanted = {"only_segment": only_segment, "except_segment": except_segment}
    with estate.work() as db:
        return rule_versions.publish(
            db,
            actor=actor,
            now=NOW,
            rule_id="R1",
            wanted={name: str(key) if key else None for name, key in wanted.items()},
            reason="It looks at other accounts",
            idempotency_key=a_key(),
            **({"expected_version": _active(estate)["version"]} | given),
        )


def test_only_an_admin_ties_a_rule_and_only_to_what_everybody_may_see(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    shared, hidden = save(estate, maya), save(estate, maya, name="Mine", is_shared=False)

    with pytest.raises(NotPermitted):
        _limit(estate, maya, only_segment=shared.segment_id)
    with pytest.raises(NotFound):
        _limit(estate, admin, only_segment=hidden.segment_id)
    with pytest.raises(InvalidInput):
        _limit(estate, admin, only_segment=shared.segment_id, except_segment=shared.segment_id)
    before = _active(estate)
    made = _limit(estate, admin, only_segment=shared.segment_id)

    assert made.version == before.pop("version") + 1
    assert made.params == before | {"only_segment": str(shared.segment_id)}
    with pytest.raises(StaleVersion):
        _limit(estate, admin, expected_version=made.version - 1)


def test_a_segment_that_a_rule_uses_is_neither_archived_nor_hidden_and_the_rule_is_named(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    segment = save(estate, maya)
    _limit(estate, admin, except_segment=segment.segment_id)

    with pytest.raises(InvalidInput, match=r"cannot be archived: the rule R1 \(.+\) uses it"):
        archive(estate, maya, segment)
    with pytest.raises(InvalidInput, match="cannot be hidden"):
        save(estate, maya, segment_id=segment.segment_id, expected_version=1, is_shared=False)
    with pytest.raises(InvalidInput, match="cannot hold other accounts"):
        save(estate, maya, segment_id=segment.segment_id, expected_version=1, criteria={"search": "zzz"})
    _limit(estate, admin)
    archive(estate, maya, segment)
    assert names(estate, maya) == []


def test_a_rule_speaks_of_its_segment_alone_and_what_waits_outside_it_ends(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    """Two accounts whose health falls; the rule is first of all, then of one of them, then of the other."""
    drop = [*[80.0] * 10, *[60.0] * 3]
    for name in ("Ashford Media", "Borea Energy"):
        key = key_of(name) if name == "Ashford Media" else estate.account(name)
        estate.set("dim_accounts", key, segment=name.split()[0])
        estate.health(key, drop)
    segment = save(estate, maya, name="Ashford", criteria={"segments": ["Ashford"]})

    def speaks_of(now: datetime) -> list[str]:
        with estate.work() as db:
            build = estate.one("select max(build_id) from marts.publications")
            suggestions.evaluate(db, now=now, build_id=build)
            return sorted(one.account_name for one in suggestions.list_open(db, identity=admin))

    assert speaks_of(NOW) == ["Ashford Media", "Borea Energy"]
    _limit(estate, admin, only_segment=segment.segment_id)
    assert speaks_of(NOW + timedelta(minutes=1)) == ["Ashford Media"]
    _limit(estate, admin, except_segment=segment.segment_id)
    assert speaks_of(NOW + timedelta(minutes=2)) == ["Borea Energy"]
