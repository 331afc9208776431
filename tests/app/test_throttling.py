"""Rules whose suggestions are mostly false alarms rank lower, until somebody lifts it or the rule is published anew."""

from datetime import timedelta

import pytest

from app import configuration
from app.auth import Role
from app.errors import NotFound, NotPermitted
from app.suggestions import throttling
from app.suggestions.policy import is_noisy
from app.suggestions.rates import Rate
from tests.app.factories import NOW, Estate, a_key
from tests.app.test_suggestions import DROP, dismiss, evaluate, raised

LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("count", "of", "is_called_noisy"),
    [(0, 0, False), (29, 29, False), (30, 30, True), (16, 30, False), (24, 30, True)],
)
def test_noisy_is_only_what_chance_does_not_explain_and_never_few_answers(
    count: int, of: int, is_called_noisy: bool
) -> None:
    assert is_noisy(Rate(count, of), line=0.5, least_answers=30) == is_called_noisy


def _settings(estate: Estate) -> None:
    with estate.work() as db:
        configuration.publish(
            db,
            actor=estate.user("Harriet Cole", Role.ADMIN),
            now=NOW,
            name="rule_throttling",
            value={"line_pct": 50, "least_answers": 10, "score_left_pct": 25, "window_days": 365},
            expected_version=1,
            idempotency_key=a_key(),
        )


def _score(estate: Estate, name: str) -> float:
    return estate.one("select score from app.suggestions where account_name = %s", name)


def test_a_noisy_rule_ranks_lower_until_it_is_lifted_and_the_draw_stays_what_it_was(estate: Estate) -> None:
    harriet, maya = estate.user("Harriet Cole", Role.ADMIN), estate.user()
    _settings(estate)
    for number in range(10):
        owner = ("maya.lind", "tom.okafor")[number % 2]
        estate.health(estate.account(f"Noise {number}", csm_email=f"{owner}@force24.example", days_to_renewal=20), DROP)
    estate.publish()
    evaluate(estate)
    for one in raised(estate):
        dismiss(estate, harriet, one, reason="not_a_real_risk")
    for name, csm in (("Before Ltd", "priya"), ("After Ltd", "luca")):
        estate.health(estate.account(name, csm_email=f"{csm}@force24.example", days_to_renewal=20), DROP)
    estate.publish()

    evaluate(estate, now=LATER)

    full = estate.one("select max(score) from app.suggestions where account_name like 'Noise%%'")
    assert _score(estate, "Before Ltd") == pytest.approx(full * 0.25)
    eligible = "select d.eligible - 'none' from app.decisions as d join app.suggestions as s using (decision_id)"
    assert estate.one(f"{eligible} where s.account_name = 'Before Ltd'") == estate.one(
        f"{eligible} where s.account_name = 'Noise 0'"
    )
    with estate.work() as db:
        standing = throttling.throttles(db, actor=harriet)["R1"]
        assert (standing.false_alarms, standing.rule_version) == (Rate(10, 10), 1)
        with pytest.raises(NotPermitted):
            throttling.lift(db, actor=maya, now=LATER, rule_id="R1", reason="no", idempotency_key=a_key())

    with estate.work() as db:
        throttling.lift(db, actor=harriet, now=LATER, rule_id="R1", reason="Mended", idempotency_key=a_key())
    evaluate(estate, now=LATER + timedelta(hours=1))

    assert _score(estate, "Before Ltd") == pytest.approx(full), "old answers began no new throttle"
    audited = "select string_agg(reason, '; ' order by event_id) from app.audit_events where subject_kind = 'rule'"
    assert estate.one(audited) == "10 of 10 answers were false alarms; Mended"
    with estate.work() as db, pytest.raises(NotFound):
        throttling.lift(db, actor=harriet, now=LATER, rule_id="R1", reason="Again", idempotency_key=a_key())
