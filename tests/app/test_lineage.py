"""What rests on what: the published marts' steps joined to one picture, and how a stale source is carried upwards."""

import json

from app.marts.lineage import lineage
from app.marts.sources import Freshness
from app.ui.lineage_panel import place, state_of
from tests.app.factories import Estate

STEPS = [
    {"name": "dim_accounts", "layer": "marts", "reads": ["int_accounts"], "tests": 3, "read_by": ["Page Accounts"]},
    {"name": "int_accounts", "layer": "intermediate", "reads": ["stg_companies", "stg_invoices"]},
    {"name": "stg_companies", "layer": "staging", "reads": ["raw_hubspot.companies"]},
    {"name": "stg_invoices", "layer": "staging", "reads": ["raw_stripe.invoices"]},
    {"name": "raw_hubspot.companies", "layer": "raw"},
    {"name": "raw_stripe.invoices", "layer": "raw"},
]
OF_CONTACTS = [
    {"name": "dim_contacts", "layer": "marts", "reads": ["stg_companies"], "read_by": ["Page Accounts"]},
    *STEPS[2:3],
    *STEPS[4:5],
]


def publish(estate: Estate) -> None:
    """Two marts of one build; an earlier version of one of them, which is not what is published."""
    versions = (("dim_accounts", "b", STEPS), ("dim_contacts", "b", OF_CONTACTS), ("dim_accounts", "a", STEPS[4:]))
    for mart, version, steps in versions:
        chain = [{"path": "", "digest": "", **step} for step in steps]
        estate.transformer.execute(
            "insert into marts.model_versions values (%s, %s, '', '{}', %s, '{}')", [mart, version, json.dumps(chain)]
        )
    estate.publish()
    estate.transformer.execute(
        'update marts.publications set model_versions = \'{"dim_accounts": "b", "dim_contacts": "b"}\''
    )


def test_steps_of_all_marts_are_one_picture_with_their_readers(estate: Estate) -> None:
    publish(estate)

    with estate.engine.connect() as db:
        known = lineage(db)

    assert known.readers["stg_companies"] == ("dim_contacts", "int_accounts")
    assert known.steps["Page Accounts"].reads == ("dim_accounts", "dim_contacts")
    assert list(known.above("dim_accounts"))[:3] == ["int_accounts", "stg_companies", "stg_invoices"]
    assert list(known.below("raw_stripe.invoices")) == [
        "stg_invoices", "int_accounts", "dim_accounts", "Page Accounts",
    ]  # fmt: skip


def test_a_stale_source_shows_on_all_that_rests_on_it_and_nowhere_else(estate: Estate) -> None:
    publish(estate)
    with estate.engine.connect() as db:
        known = lineage(db)
    fresh = {"hubspot": Freshness.LATE, "stripe": Freshness.STALE}

    found = {name: state_of(known, name, fresh) for name in known.steps}

    assert found["stg_invoices"] == found["dim_accounts"] == found["Page Accounts"] == Freshness.STALE
    assert found["stg_companies"] == found["dim_contacts"] == Freshness.LATE
    assert {name: state_of(known, name, {}) for name in known.steps}.keys() == found.keys()
    assert {state_of(known, name, {}) for name in known.steps} == {Freshness.FRESH}


def test_the_picture_puts_what_is_read_to_the_left_and_who_reads_to_the_right(estate: Estate) -> None:
    publish(estate)
    with estate.engine.connect() as db:
        known = lineage(db)

    columns = {one.step.name: one.column for one in place(known, "int_accounts", {})}

    assert columns == {
        "raw_hubspot.companies": 0,
        "raw_stripe.invoices": 0,
        "stg_companies": 1,
        "stg_invoices": 1,
        "int_accounts": 2,
        "dim_accounts": 3,
    }
