"""Reports against a second count in plain Python, on an estate whose months are known; who may read and take what."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
from pyarrow import parquet

from app.auth import Identity, Role
from app.errors import NotFound
from app.exports.formats import Format
from app.reports import bridge, catalogue, migration
from app.reports.catalogue import REPORTS
from app.reports.model import Filter
from app.reports.wanted import Wanted, from_query, month_of, months_before, months_between
from app.segments import service as segments
from tests.app.factories import AS_OF, NOW, Estate, a_key, key_of
from tests.app.test_suggestions import DROP, evaluate

OPENING = date(2026, 3, 1)  # the first month that the history tells of
NEWEST = date(2026, 11, 1)
MONTHS = months_between(OPENING, NEWEST)
SEGMENTS = ("SMB", "Enterprise")
CSMS = ("Maya Lind", "Tom Okafor")


@dataclass
class Customer:
    """What an account paid at the end of the month before the history, and of each month; None while it is none."""

    name: str
    segment: str
    csm: str
    before: float | None
    months: list[float | None]


def customers(random: Random) -> Iterator[Customer]:
    """Lives as the domain knows them: growth, shrinking, a pause, churn, a return, and customers of before."""
    for number in range(40):
        begins = random.choice([-1, -1, *range(len(MONTHS))])
        value: float | None = float(random.randrange(100, 900))
        before, months = (value if begins < 0 else None), []
        for place in range(len(MONTHS)):
            if place < begins:
                months.append(None)
                continue
            if place > begins or begins < 0:
                draw = random.random()
                if value is None:
                    value = 250.0 if draw < 0.3 and 0.0 not in months else None  # a pause may end for good
                elif draw < 0.08:
                    value = None
                elif draw < 0.14:
                    value = 0.0 if value else 300.0
                elif draw < 0.4 and value:
                    value = max(50.0, value + random.randrange(-90, 120))
            months.append(value)
        yield Customer(f"Account {number}", random.choice(SEGMENTS), random.choice(CSMS), before, months)


def movement(was: float | None, now: float | None, *, paid_before: bool) -> str | None:
    """Section 3 of the domain, of one month."""
    if (was or 0) == (now or 0):
        return None
    if not paid_before:
        return "new"
    if now is None:
        return "churned"
    if was is None:
        return "reactivation"
    return "expansion" if now > was else "contraction"


@pytest.fixture
def lives(estate: Estate) -> list[Customer]:
    """Forty customers of nine months, published."""
    made = list(customers(Random(7)))
    for one in made:
        last = one.months[-1]
        ended = [place for place, value in enumerate(one.months) if value is not None]
        estate.account(
            one.name, segment=one.segment, plan="Pro", csm_name=one.csm, mrr_eur=last or 0, is_active=last is not None,
            csm_email=f"{one.csm.lower().replace(' ', '.')}@force24.example",
            churned_date=None if last is not None else date(2026, MONTHS[max([-1, *ended]) + 1].month, 15),
        )  # fmt: skip
        was, paid = one.before, bool(one.before)
        for month, now in zip(MONTHS, one.months, strict=True):
            kind = movement(was, now, paid_before=paid)
            if kind:
                estate.put(
                    "fct_mrr_movements", account_key=key_of(one.name), movement_month=month, movement_type=kind,
                    amount_eur=(now or 0) - (was or 0),
                )  # fmt: skip
            was, paid = now, paid or bool(now)
    estate.put("fct_revenue_retention_monthly", month_start_date=OPENING, segment="SMB")
    estate.publish()
    return made


def read(estate: Estate, name: str, wanted: Wanted | None = None, who: Identity | None = None) -> list[Any]:
    report = REPORTS[name]
    with estate.work() as db:
        return catalogue.rows(
            db,
            report,
            identity=who or estate.user("Alex Stone", Role.ANALYST),
            wanted=wanted or catalogue.at_first(report, AS_OF),
            as_of=AS_OF,
        )


def at_end(one: Customer, month: date) -> float | None:
    return one.before if month < OPENING else one.months[MONTHS.index(month)]


# --- NRR and GRR


def test_every_month_is_the_domains_definition_counted_from_what_accounts_paid(
    estate: Estate, lives: list[Customer]
) -> None:
    rows = read(estate, "bridge", Wanted(start=OPENING, end=NEWEST))

    assert [one.month_start_date for one in rows] == MONTHS
    for row in rows:
        month = row.month_start_date
        pairs = [(at_end(one, months_before(month, 1)), at_end(one, month), one) for one in lives]
        paid = {one.name for *_, one in pairs if one.before or any(one.months[: MONTHS.index(month)])}
        sums: dict[str, float] = dict.fromkeys(("new", "expansion", "contraction", "churned", "reactivation"), 0.0)
        for was, now, one in pairs:
            kind = movement(was, now, paid_before=one.name in paid)
            if kind:
                sums[kind] += abs((now or 0) - (was or 0))
        start, end = sum(was or 0 for was, *_ in pairs), sum(now or 0 for _, now, _ in pairs)

        assert (row.start_mrr_eur, row.end_mrr_eur) == pytest.approx((start, end))
        assert {kind: getattr(row, f"{kind}_mrr_eur") for kind in sums} == pytest.approx(sums)
        kept = start - sums["contraction"] - sums["churned"]
        assert row.grr_ratio == pytest.approx(kept / start)
        assert row.nrr_ratio == pytest.approx((kept + sums["expansion"]) / start)
    assert sum(one.reactivation_mrr_eur for one in rows) > 0


def test_of_several_months_only_who_was_there_at_the_start_is_in_the_ratios(
    estate: Estate, lives: list[Customer]
) -> None:
    start = date(2026, 6, 1)
    whole = bridge.whole(read(estate, "bridge", Wanted(start=start, end=date(2026, 9, 1))))

    first = sum(at_end(one, date(2026, 5, 1)) or 0 for one in lives)
    gained = lost = 0.0
    for one in lives:
        was = at_end(one, date(2026, 5, 1))
        for month in months_between(start, date(2026, 9, 1)):
            if was is None:
                break
            now = at_end(one, month)
            gained, lost = gained + max((now or 0) - was, 0), lost + max(was - (now or 0), 0)
            was = now
    assert whole.start_mrr_eur + sum(moved for _, moved in whole.moves) == pytest.approx(whole.end_mrr_eur)
    assert whole.nrr_ratio == pytest.approx((first + gained - lost) / first)
    assert whole.grr_ratio == pytest.approx((first - lost) / first)


def test_filters_count_the_accounts_they_leave(estate: Estate, lives: list[Customer]) -> None:
    wanted = Wanted(start=NEWEST, end=NEWEST)
    parts = [read(estate, "bridge", replace(wanted, segments=(name,)))[0] for name in SEGMENTS]
    (whole,) = read(estate, "bridge", wanted)
    (narrow,) = read(estate, "bridge", replace(wanted, segments=("SMB",), csms=("Maya Lind",), plans=("Pro",)))

    assert sum(one.end_mrr_eur for one in parts) == pytest.approx(whole.end_mrr_eur)
    expected = sum(one.months[-1] or 0 for one in lives if (one.segment, one.csm) == ("SMB", "Maya Lind"))
    assert narrow.end_mrr_eur == pytest.approx(expected)


# --- cohorts


def test_a_cohort_keeps_the_accounts_and_the_revenue_it_has_each_month(estate: Estate, lives: list[Customer]) -> None:
    rows = read(estate, "cohorts", Wanted(start=OPENING, end=NEWEST))

    found = {(row.cohort_month, row.month_start_date): row for row in rows}
    starts: dict[str, date | None] = {}
    for one in lives:
        paying = [month for month, value in zip(MONTHS, one.months, strict=True) if value]
        if one.before or paying:
            starts[one.name] = None if one.before else paying[0]
    for (cohort, month), row in found.items():
        members = [one for one in lives if one.name in starts and starts[one.name] == cohort]
        at_zero = cohort or months_before(OPENING, 1)
        first = sum(at_end(one, at_zero) or 0 for one in members)
        there = sum(at_end(one, month) is not None for one in members)
        assert (row.started_account_count, row.account_count) == (len(members), there), (cohort, month)
        assert row.mrr_eur == pytest.approx(sum(at_end(one, month) or 0 for one in members))
        assert row.mrr_ratio == pytest.approx(row.mrr_eur / first)
        assert row.account_ratio == pytest.approx(there / len(members))
    assert {cohort for cohort, _ in found} == set(starts.values())


# --- health migration


def test_accounts_move_from_band_to_band_with_what_they_paid(estate: Estate) -> None:
    def health(name: str, day: date, band: str | None) -> None:
        estate.put("fct_account_health_daily", account_key=key_of(name), health_date=day, score=60.0, band=band)

    for name, before, after in (("A", "G", "R"), ("B", "G", "R"), ("C", "Y", None), ("D", "-", "G"), ("E", "R", "-")):
        estate.account(name, mrr_eur=100, is_active=after != "-")
        for day, band in ((date(2026, 9, 30), before), (AS_OF, after)):
            if band != "-":
                health(name, day, band)
    estate.put("fct_mrr_movements", account_key=key_of("A"), movement_month=date(2026, 10, 1), amount_eur=40)
    estate.set("dim_accounts", key_of("E"), mrr_eur=0)
    estate.put("fct_mrr_movements", account_key=key_of("E"), movement_month=NEWEST, amount_eur=-70)
    estate.publish()
    wanted = Wanted(start=date(2026, 9, 1), end=NEWEST)

    cells = {
        (one.from_band, one.to_band): (one.account_count, one.mrr_eur) for one in read(estate, "migration", wanted)
    }
    with estate.work() as db:
        reach = catalogue.on_screen(estate.user())
        fell = migration.members(db, wanted=wanted, reach=reach, as_of=AS_OF, from_band="G", to_band="R")

    assert cells == {("G", "R"): (2, 160), ("Y", "–"): (1, 100), ("none", "G"): (1, 100), ("R", "none"): (1, 70)}
    assert [(one.account_name, one.mrr_eur) for one in fell] == [("B", 100), ("A", 60)]


# --- portfolio, follow-through


def test_the_portfolio_adds_up_by_what_is_chosen(estate: Estate) -> None:
    estate.account("A", segment="SMB", health_band="R", mrr_eur=10, mrr_at_risk_eur=4)
    estate.account("B", segment="SMB", health_band=None, mrr_eur=20, mrr_at_risk_eur=1)
    estate.account("C", segment="Enterprise", health_band="G", mrr_eur=70, mrr_at_risk_eur=0)
    estate.account("Gone", segment="SMB", is_active=False)
    estate.publish()

    rows = read(estate, "portfolio", replace(catalogue.at_first(REPORTS["portfolio"], AS_OF), by="segment"))

    said = [
        (one.group, one.account_count, one.mrr_eur, one.mrr_at_risk_eur, one.red_count, one.no_band_count)
        for one in rows
    ]
    assert said == [("Enterprise", 1, 70, 0, 0, 0), ("SMB", 2, 30, 5, 1, 1)]


def test_follow_through_of_others_is_for_admins_and_analysts(estate: Estate) -> None:
    maya, tom = estate.user(), estate.user("Tom Okafor")
    account, made = estate.account(), datetime(2026, 10, 5, 8, tzinfo=UTC)
    for number, (who, status, days, due) in enumerate(
        [(maya, "closed", 4, 0), (maya, "closed", 8, 0), (maya, "new", 0, 1), (tom, "in_progress", 0, -1)]
    ):
        estate.put(
            "fct_actions", action_id=str(number), account_key=account, status=status, owner_user_id=str(who.user_id),
            owner_name=who.display_name, created_at=made, due_date=AS_OF - timedelta(days=due),
            started_at=made + timedelta(days=days / 4) if days else None,
            closed_at=made + timedelta(days=days) if days else None,
        )  # fmt: skip
    estate.publish()

    of_all = {one.group: one for one in read(estate, "follow-through")}
    of_tom = read(estate, "follow-through", who=tom)
    before = read(estate, "follow-through", Wanted(start=date(2026, 8, 1), end=date(2026, 8, 1)))

    own = of_all["Maya Lind"]
    assert (own.open_count, own.overdue_count, own.made_count, own.done_count) == (1, 1, 3, 2)
    assert (own.touched_count, own.days_to_first_touch, own.days_to_close) == (2, pytest.approx(1.5), pytest.approx(6))
    assert [(one.group, one.open_count, one.overdue_count) for one in of_tom] == [("Tom Okafor", 1, 0)]
    assert [(one.made_count, one.done_count) for one in before] == [(0, 0), (0, 0)]


def test_a_cancelled_action_is_not_touched_by_that_and_a_snoozed_one_is_not_overdue(estate: Estate) -> None:
    maya, account, made = estate.user(), estate.account(), datetime(2026, 10, 5, 8, tzinfo=UTC)
    for status, closed_at in (("cancelled", made + timedelta(days=2)), ("snoozed", None), ("new", None)):
        estate.put(
            "fct_actions", action_id=status, account_key=account, status=status, owner_user_id=str(maya.user_id),
            owner_name="Maya Lind", created_at=made, due_date=AS_OF - timedelta(days=1), closed_at=closed_at,
        )  # fmt: skip
    estate.publish()

    [own] = read(estate, "follow-through")

    assert (own.made_count, own.cancelled_count, own.touched_count, own.days_to_first_touch) == (3, 1, 0, None)
    assert (own.open_count, own.overdue_count) == (2, 1)


# --- outcomes by intervention


def test_outcomes_are_counted_by_what_was_done_and_say_nothing_from_too_few(estate: Estate) -> None:
    account = estate.account()

    def decided(count: int, **values: Any) -> None:
        for number in range(count):
            estate.put(
                "fct_action_outcomes", decision_id=f"{values}{number}", account_key=account, decided_at=NOW,
                measured_30d_status="measured", trigger_cleared_30d=number % 2 == 0, mrr_change_eur_30d=-10,
                health_change_30d=float(number % 3), retention_30d="retained" if number else "churned", **values,
            )  # fmt: skip

    decided(30, arm="shown", treatment_done=True, done_intervention="training")
    decided(4, arm="shown", treatment_done=False)
    decided(2, arm="held_out", treatment_done=False)
    estate.publish()

    rows = {one.intervention: one for one in read(estate, "interventions")}

    training = rows["training"]
    assert (training.decision_count, training.cleared_count, training.cleared_ratio) == (30, 15, 0.5)
    assert (training.cleared_low_ratio, training.cleared_high_ratio) == pytest.approx((0.3315, 0.6685), abs=5e-4)
    assert (training.churned_count, training.mrr_change_eur, training.health_change) == (1, -300, pytest.approx(1))
    half = 1.96 * (20 / 29) ** 0.5 / 30**0.5
    assert training.health_change_high == pytest.approx(1 + half)
    assert (rows["nothing_done"].decision_count, rows["held_out"].decision_count) == (4, 2)
    assert rows["nothing_done"].cleared_ratio is None
    later = replace(catalogue.at_first(REPORTS["interventions"], AS_OF), horizon_days=90)
    assert [one.measured_count for one in read(estate, "interventions", later)] == [0, 0, 0]


def test_what_a_colleague_makes_of_suggestions_is_not_told_by_narrowing_a_report_to_them(estate: Estate) -> None:
    for name, csm in (("A", "Maya Lind"), ("B", "Tom Okafor")):
        estate.put(
            "fct_action_outcomes", decision_id=name, account_key=estate.account(name, csm_name=csm), decided_at=NOW,
            arm="shown", treatment_done=True, done_intervention="training",
        )  # fmt: skip
    estate.health(key_of("B"), DROP)
    estate.publish()
    evaluate(estate)
    maya, alex = estate.user(), estate.user("Alex Stone", Role.ANALYST)

    def counted(name: str, csm: str, who: Identity) -> int:
        wanted = replace(catalogue.at_first(REPORTS[name], AS_OF), csms=(csm,))
        rows = read(estate, name, wanted, who)
        return sum(one.decision_count if name == "interventions" else one.fired for one in rows)

    for name, whole in (("interventions", 2), ("funnel", 1)):
        assert counted(name, "Tom Okafor", maya) == counted(name, "Maya Lind", maya) == whole
        assert Filter.CSM not in catalogue.filters_for(REPORTS[name], maya)
        assert counted(name, "Tom Okafor", alex) == 1
    assert counted("funnel", "Maya Lind", alex) == 0


# --- all of them


@pytest.fixture
def of_two(estate: Estate, lives: list[Customer]) -> None:
    """A row of every other source for an account of Maya's and for one of Tom's."""
    for csm, band, rule in ((CSMS[0], "G", DROP), (CSMS[1], "R", None)):
        name, who = f"Of {csm}", estate.user(csm)
        account = estate.account(name, csm_name=csm, csm_email=who.email, mrr_eur=0)
        estate.put(
            "fct_actions", action_id=csm, account_key=account, status="new", owner_user_id=str(who.user_id),
            owner_name=csm, created_at=NOW, due_date=AS_OF,
        )  # fmt: skip
        estate.put(
            "fct_action_outcomes", decision_id=csm, account_key=account, decided_at=NOW, arm="shown",
            treatment_done=True, done_intervention="training" if rule else "business_review",
        )  # fmt: skip
        if rule:
            estate.health(account, rule)
        else:
            estate.invoice(account)
            estate.put("fct_account_health_daily", account_key=account, health_date=AS_OF, score=20.0, band=band)
    estate.publish()
    evaluate(estate)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_one_statement_and_a_file_of_what_may_be_taken_away(
    estate: Estate, lives: list[Customer], of_two: None, name: str
) -> None:
    report, maya = REPORTS[name], estate.user()
    nobody = replace(maya, owner_email=None)
    wanted = catalogue.at_first(report, AS_OF)

    def file(who: Identity) -> int:
        made = io.BytesIO()
        with estate.work() as db:
            catalogue.write(db, report, Format.PARQUET, made, identity=who, wanted=wanted, as_of=AS_OF)
        return parquet.read_table(made).num_rows

    with estate.counted() as statements:
        shown = read(estate, name, wanted, maya)

    assert len(statements) == 1
    if name == "bridge":  # a month without accounts is a row of nothing
        with estate.work() as db:
            own = report.read(db, wanted=wanted, reach=catalogue.in_file(maya), as_of=AS_OF)
        mine = sum(one.months[-1] or 0 for one in lives if one.csm == "Maya Lind")
        assert own[-1].end_mrr_eur == pytest.approx(mine)
    else:
        assert file(nobody) == 0
        assert file(maya) > 0
        everything = file(estate.user("Alex Stone", Role.ANALYST))
        assert everything == len(shown) or name == "follow-through"
        assert file(maya) < everything or name == "cohorts"  # both have customers in every cohort


def test_an_address_leads_back_to_the_same_report() -> None:
    otherwise = Wanted(start=NEWEST, end=NEWEST, by="csm")
    wanted = replace(
        otherwise, start=OPENING, csms=("Maya Lind", "Tom & Co"), plans=("Pro",), by="plan", horizon_days=60
    )
    given = {"from": "2026-03", "to": "2026-11", "by": "plan", "horizon": "60"}

    assert wanted.query() == ("from=2026-03&to=2026-11&csm=Maya+Lind&csm=Tom+%26+Co&plan=Pro&by=plan&horizon=60")
    assert from_query(given, {"csm": ["Maya Lind", "Tom & Co"], "plan": ["Pro"]}, otherwise=otherwise) == wanted
    assert from_query({"from": "2026-13", "to": "'; --", "horizon": "7"}, {}, otherwise=otherwise) == otherwise
    assert from_query({"from": "2026-09", "to": "2026-03"}, {}, otherwise=otherwise).end == date(2026, 9, 1)
    assert (month_of("2026-11"), month_of("")) == (NEWEST, None)
    far = from_query({"from": "0001-01", "to": "9999-12"}, {"csm": ["\0", "Maya Lind"]}, otherwise=otherwise)
    assert (far.start, far.end, far.csms) == (date(2023, 12, 1), NEWEST, ("Maya Lind",))
    assert from_query({"from": "9999-12"}, {}, otherwise=otherwise).until == datetime(2026, 12, 1, tzinfo=UTC)


# --- a saved segment


def saved(estate: Estate, actor: Identity, **values: Any) -> UUID:
    given = {"name": "Maya's", "description": None, "criteria": {"owners": ["Maya Lind"]}, "is_shared": True} | values
    with estate.work() as db:
        return segments.save(db, actor=actor, now=NOW, idempotency_key=a_key(), **given).segment_id


def within(estate: Estate, name: str, in_segment: UUID, who: Identity) -> Wanted:
    wanted = Wanted(start=OPENING, end=NEWEST, in_segment=in_segment)
    with estate.work() as db:
        return catalogue.within(db, REPORTS[name], wanted, identity=who, as_of=AS_OF, today=NOW.date())


def test_a_saved_segment_is_whom_it_held_when_the_period_began_so_that_who_left_counts(
    estate: Estate, lives: list[Customer]
) -> None:
    analyst = estate.user("Alex Stone", Role.ANALYST)
    day = OPENING - timedelta(days=1)
    for one in lives:
        if one.before is not None:
            estate.put("fct_account_health_daily", account_key=key_of(one.name), health_date=day, mrr_eur=one.before)
    mine = [one for one in lives if one.csm == "Maya Lind" and one.before is not None]
    estate.set("dim_accounts", key_of(mine[0].name), is_active=False)  # is in no segment of today

    wanted = within(estate, "bridge", saved(estate, analyst), analyst)
    rows = read(estate, "bridge", wanted)

    assert wanted.account_keys == tuple(sorted(key_of(one.name) for one in mine))
    assert [row.end_mrr_eur for row in rows] == pytest.approx(
        [sum(at_end(one, month) or 0 for one in mine) for month in MONTHS]
    )


def test_a_saved_segment_is_whom_it_holds_today_where_a_report_is_about_today(
    estate: Estate, lives: list[Customer], of_two: None
) -> None:
    analyst = estate.user("Alex Stone", Role.ANALYST)
    segment = saved(estate, analyst)
    everything = {name: read(estate, name) for name in ("portfolio", "follow-through", "funnel")}

    found = {name: read(estate, name, within(estate, name, segment, analyst)) for name in everything}

    active = sum(one.csm == "Maya Lind" and one.months[-1] is not None for one in lives) + 1
    assert [(row.group, row.account_count) for row in found["portfolio"]] == [("Maya Lind", active)]
    assert [row.group for row in found["follow-through"]] == ["Maya Lind"]
    assert 0 < sum(row.fired for row in found["funnel"]) < sum(row.fired for row in everything["funnel"])
    assert within(estate, "cohorts", segment, analyst).in_segment is None  # who left is in none


def test_a_saved_segment_shows_nobody_what_is_not_theirs_to_read(estate: Estate, lives: list[Customer]) -> None:
    tom, maya = estate.user("Tom Okafor"), estate.user()
    hidden, shared = (
        saved(estate, tom, is_shared=False),
        saved(estate, tom, name="Tom's", criteria={"owners": ["Tom Okafor"]}),
    )

    with pytest.raises(NotFound):
        within(estate, "portfolio", hidden, maya)
    assert within(estate, "portfolio", shared, maya).account_keys
    # how a colleague answers suggestions, told by their accounts
    assert within(estate, "funnel", shared, maya).account_keys is None


def test_a_saved_segment_stands_in_the_address() -> None:
    wanted = Wanted(start=OPENING, end=NEWEST, in_segment=uuid4())
    query = dict(parse_qsl(wanted.query()))

    assert from_query(query, {}, otherwise=replace(wanted, in_segment=None)) == wanted
    assert from_query(query | {"in_segment": "x"}, {}, otherwise=wanted).in_segment is None
