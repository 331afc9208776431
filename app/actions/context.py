"""What was known of an account when something was decided about it, frozen with a hash.

Read straight from the published marts, one round trip for any number of accounts. The names of people are left out: the
snapshot is read by learning, which must not need them. What the account's own CSM said of it counts as of the moment
of the decision, never what was said since; all else is of the published build.

A decision of a past day, entered later, knows the day before it: only what the marts keep by day is in its context, for
the rest of an account is known as of today alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from app.db import reading_mart

FEATURE_SET_VERSION = 2  # snapshots that name none are of version 1, which knew no pulse
PULSE_REMEMBERED = timedelta(days=14)  # an older opinion says more about its day than about the account


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountContext:
    """One account's context. `features` holds JSON objects account, health, risk and usage of the last complete day
    (null where there is no row), csm_open_action_count, feature_set_version, and csm_pulse: the newest pulse that its
    own CSM gave before the decision and remembered then, as score 1 to 5 and given_at (ISO, UTC), or null."""

    account_key: str
    account_name: str
    csm_email: str | None
    csm_open_load: int
    as_of: date
    features: dict[str, Any]


_CONTEXTS = text(
    """
    select
        a.account_key,
        a.account_name,
        lower(a.csm_email) as csm_email,
        a.as_of_date as as_of,
        (
            select count(*) from app.actions as o join app.users as u on u.user_id = o.owner_user_id
            where u.owner_email = lower(a.csm_email) and o.status not in ('closed', 'cancelled')
        ) as csm_open_load,
        to_jsonb(a) - array[
            'account_name', 'domain', 'csm_name', 'csm_email', 'champion_name', 'health_trend_90d',
            'stripe_customer_ids', 'zendesk_organization_id'
        ] as account,
        to_jsonb(h) as health,
        to_jsonb(r) as risk,
        to_jsonb(u) as usage,
        p.score as pulse_score,
        p.given_at as pulse_given_at
    from marts.dim_accounts as a
    left join marts.fct_account_health_daily as h on h.account_key = a.account_key and h.health_date = a.as_of_date
    left join marts.fct_churn_risk_daily as r on r.account_key = a.account_key and r.risk_date = a.as_of_date
    left join marts.fct_usage_daily as u on u.account_key = a.account_key and u.usage_date = a.as_of_date
    left join lateral (
        select score, given_at
        from app.account_pulses
        where account_key = a.account_key and is_of_owner and given_at < :decided_at and given_at >= :pulse_since
        order by given_at desc, pulse_id desc
        limit 1
    ) as p on true
    where a.account_key = any(:account_keys) and exists (select from marts.publications)
    """
)

_NEWEST = text("select max(as_of_date) from marts.dim_accounts where exists (select from marts.publications)")
_CONTEXTS_THEN = text(
    """
    select
        a.account_key,
        a.account_name,
        lower(a.csm_email) as csm_email,
        cast(:day as date) as as_of,
        (
            select count(*) from app.actions as o join app.users as u on u.user_id = o.owner_user_id
            where u.owner_email = lower(a.csm_email) and o.created_at < :decided_at
                and coalesce(o.closed_at >= :decided_at, o.status not in ('closed', 'cancelled'))
        ) as csm_open_load,
        jsonb_build_object(
            'account_key', a.account_key, 'as_of_date', cast(:day as date),
            'customer_since_date', a.customer_since_date, 'mrr_eur', h.mrr_eur,
            'renewal_date', h.renewal_date, 'days_to_renewal', h.renewal_date - h.health_date,
            'last_contact_date', h.last_contact_date, 'health_score', h.score, 'health_band', h.band,
            'churn_probability_90d', r.churn_probability_90d, 'churn_risk_band', r.churn_risk_band
        ) as account,
        to_jsonb(h) as health,
        to_jsonb(r) as risk,
        to_jsonb(u) as usage,
        null as pulse_score,
        null as pulse_given_at
    from marts.dim_accounts as a
    left join marts.fct_account_health_daily as h on h.account_key = a.account_key and h.health_date = :day
    left join marts.fct_churn_risk_daily as r on r.account_key = a.account_key and r.risk_date = :day
    left join marts.fct_usage_daily as u on u.account_key = a.account_key and u.usage_date = :day
    where a.account_key = any(:account_keys)
    """
)


def contexts(db: Connection, account_keys: Sequence[str], *, decided_at: datetime) -> dict[str, AccountContext]:
    """The context of each account that exists in the published marts, by account key, for a decision of that moment.

    Raises MartUnavailable when no build has been made yet.
    """
    asked = {"account_keys": list(account_keys), "decided_at": decided_at}
    with reading_mart("dim_accounts"):
        newest = db.execute(_NEWEST).scalar_one()
        day = decided_at.astimezone(UTC).date() - timedelta(days=1)
        if newest is not None and day < newest:
            rows = db.execute(_CONTEXTS_THEN, {**asked, "day": day}).all()
        else:
            rows = db.execute(_CONTEXTS, {**asked, "pulse_since": decided_at - PULSE_REMEMBERED}).all()
    return {
        row.account_key: AccountContext(
            account_key=row.account_key,
            account_name=row.account_name,
            csm_email=row.csm_email,
            csm_open_load=row.csm_open_load,
            as_of=row.as_of,
            features={
                "account": row.account,
                "health": row.health,
                "risk": row.risk,
                "usage": row.usage,
                "csm_open_action_count": row.csm_open_load,
                "csm_pulse": _pulse(row.pulse_score, row.pulse_given_at),
                "feature_set_version": FEATURE_SET_VERSION,
            },
        )
        for row in rows
    }


def _pulse(score: int | None, given_at: datetime | None) -> dict[str, Any] | None:
    return None if given_at is None else {"score": score, "given_at": given_at.astimezone(UTC).isoformat()}


def canonical_hash(features: dict[str, Any]) -> bytes:
    """SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8): the same for what is read back from the
    database.
    """
    return sha256(
        json.dumps(features, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    ).digest()
