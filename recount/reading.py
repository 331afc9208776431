"""Raw rows of a few accounts, found by the published identity links and by nothing that dbt made of the rest.

Small tables are read whole, in the few fields that are needed: whom a ticket or an answer without a link belongs to is
told by the addresses of everybody. Invoices and events are read of the accounts that are asked for only.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import LiteralString

import psycopg

from recount.records import Account, Answer, Catalogue, Event, Settings, Ticket

_ENDED = ("solved", "closed")
USAGE_DAYS = 30  # the longest look back of a figure that is recounted

_LINKS: LiteralString = "select source, source_id, account_key, rule from marts.bridge_account_sources"
_CONTACTS: LiteralString = """
    with linked as (
        select
            payload ->> 'to_id' as contact_id,
            array_agg(
                payload ->> 'from_id'
                order by coalesce(payload -> 'labels' @> '["Primary"]', false) desc, payload ->> 'from_id'
            ) as company_ids
        from raw_hubspot.assoc_company_contact
        where _deleted_at is null
        group by payload ->> 'to_id'
    )

    select
        c._pk, lower(btrim(c.payload -> 'properties' ->> 'email')),
        c.payload -> 'properties' ->> 'associatedcompanyid', coalesce(linked.company_ids, '{}')
    from raw_hubspot.contacts as c
    left join linked on linked.contact_id = c._pk
    where c._deleted_at is null or c._delete_reason in ('archived', 'deleted', 'missing')
"""
_SUBSCRIPTIONS: LiteralString = """
    select payload, _loaded_at from raw_stripe.subscriptions
    where
        payload ->> 'customer' = any(%s)
        and coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null
"""
_INVOICES: LiteralString = """
    select payload, _loaded_at from raw_stripe.invoices
    where
        payload ->> 'customer' = any(%s) and _deleted_at is null
        and coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null
"""
_TICKETS: LiteralString = """
    select
        lower(payload ->> 'status'), lower(payload ->> 'priority'), payload ->> 'organization_id',
        payload ->> 'requester_id', payload ->> 'created_at', payload ->> 'updated_at',
        payload -> 'metric_set' ->> 'solved_at', _loaded_at
    from raw_zendesk.tickets
    where
        _deleted_at is null and payload ->> 'status' <> 'deleted' and _merged_into is null
        and not coalesce(payload -> 'tags' @> '["closed_by_merge"]', false)
"""
_ANSWERS: LiteralString = """
    select
        btrim(payload ->> 'account_external_id'), lower(btrim(payload ->> 'respondent_email')),
        substring(payload ->> 'score' from '^\\s*([0-9]{1,2})(?![0-9])'), payload ->> 'responded_at', _loaded_at
    from raw_survey.responses
    where _deleted_at is null
"""
_CONVERSATIONS: LiteralString = """
    with two_way as (
        select
            'meeting' as kind, _pk, _loaded_at,
            coalesce(
                nullif(payload -> 'properties' ->> 'hs_meeting_start_time', ''),
                payload -> 'properties' ->> 'hs_timestamp'
            ) as happened
        from raw_hubspot.meetings
        where _deleted_at is null and upper(payload -> 'properties' ->> 'hs_meeting_outcome') = 'COMPLETED'

        union all

        select 'call', _pk, _loaded_at, payload -> 'properties' ->> 'hs_timestamp'
        from raw_hubspot.calls
        where
            _deleted_at is null
            -- the vendor's fixed id of "Connected", or the word
            and lower(payload -> 'properties' ->> 'hs_call_disposition')
            in ('connected', 'f240bbac-87c9-4f6e-bf70-924b57d47db7')
    ),

    about as (
        select 'meeting' as kind, 'company' as of, _deleted_at, payload from raw_hubspot.assoc_meeting_company
        union all
        select 'meeting', 'contact', _deleted_at, payload from raw_hubspot.assoc_meeting_contact
        union all
        select 'call', 'company', _deleted_at, payload from raw_hubspot.assoc_call_company
        union all
        select 'call', 'contact', _deleted_at, payload from raw_hubspot.assoc_call_contact
    )

    select
        two_way.happened, two_way._loaded_at,
        array_agg(about.payload ->> 'to_id') filter (where about.of = 'company'),
        array_agg(about.payload ->> 'to_id') filter (where about.of = 'contact')
    from two_way
    join about on about.kind = two_way.kind and about.payload ->> 'from_id' = two_way._pk
    where two_way.happened is not null and about._deleted_at is null
    group by two_way.kind, two_way._pk, two_way.happened, two_way._loaded_at
"""


@dataclass(frozen=True)
class Whose:
    """Whom a record of a source belongs to, by the published links; what is a prospect's is somebody's too."""

    links: Mapping[tuple[str, str], str]
    people: Mapping[str, str]
    contacts: Mapping[str, str]

    def of(self, source: str, source_id: str | None) -> str | None:
        return self.links.get((source, source_id)) if source_id else None


def settings(db: psycopg.Connection) -> Settings:
    """What was decided, from the seeds."""
    return Settings(
        seat_plans=frozenset(name for (name,) in db.execute("select product_name from seeds.seat_plans")),
        rates={
            (currency, month): rate
            for currency, month, rate in db.execute(
                "select currency_code, month_start_date, eur_per_unit::numeric from seeds.fx_rates"
            )
        },
        kinds={
            name: (is_use, is_key)
            for name, is_use, is_key in db.execute(
                "select event_name, is_use, is_key_activity from seeds.usage_event_kinds"
            )
        },
    )


def catalogue(db: psycopg.Connection) -> Catalogue:
    """What is sold."""
    products = db.execute("select _pk, btrim(payload ->> 'name') from raw_stripe.products").fetchall()
    return Catalogue(
        prices=dict(db.execute("select _pk, payload from raw_stripe.prices").fetchall()), products=dict(products)
    )


def whose(db: psycopg.Connection) -> Whose:
    """Links of everybody, and the addresses that belong to one account only."""
    links: dict[tuple[str, str], str] = {}
    for source, source_id, account_key, rule in db.execute(_LINKS):
        owner = account_key or (f"no customer: {source_id}" if rule == "not_a_customer" else None)
        if owner:
            links[source, source_id] = owner
    contacts: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    for key, mail, company, others in db.execute(_CONTACTS):
        found = [links[place] for place in (("hubspot", one) for one in (company, *others)) if place in links]
        if found:
            contacts[key] = found[0]
            owners.setdefault(mail, set()).add(found[0])
    users = "select lower(btrim(payload ->> 'email')), payload ->> 'tenant_id' from raw_product.users"
    for mail, tenant in db.execute(users):
        if ("product", tenant) in links:
            owners.setdefault(mail, set()).add(links["product", tenant])
    people = {mail: min(keys) for mail, keys in owners.items() if mail and len(keys) == 1}
    return Whose(links, people, contacts)


def accounts(db: psycopg.Connection, known: Whose, wanted: Collection[str]) -> dict[str, Account]:
    """Everything but events of the accounts that are wanted, by key."""
    found = {key: Account() for key in wanted}
    ids: dict[str, dict[str, Account]] = {}
    for (source, source_id), key in known.links.items():
        if key in found:
            ids.setdefault(source, {})[source_id] = found[key]
            found[key].sources |= {source}
    _billing(db, ids.get("stripe", {}))
    _tickets(db, known, found)
    _answers(db, known, found)
    _conversations(db, known, found)
    tenants = "select _pk, payload ->> 'created_at' from raw_product.tenants"
    for tenant, created_at in db.execute(tenants):
        account = ids.get("product", {}).get(tenant)
        if account and created_at:
            began = _moment(created_at).date()
            account.usage_from = min(account.usage_from or began, began)
    return found


def _moment(written: str) -> datetime:
    found = datetime.fromisoformat(written.strip())
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _billing(db: psycopg.Connection, customers: Mapping[str, Account]) -> None:
    for payload, loaded_at in db.execute(_INVOICES, [list(customers)]):
        customers[payload["customer"]].invoices.append(payload)
        customers[payload["customer"]].came(loaded_at)
    for payload, loaded_at in db.execute(_SUBSCRIPTIONS, [list(customers)]):
        customers[payload["customer"]].subscriptions.append(payload)
        customers[payload["customer"]].came(loaded_at)


def _tickets(db: psycopg.Connection, known: Whose, found: Mapping[str, Account]) -> None:
    """The organisation speaks first, then the one of who asked, then their address."""
    users = {
        key: (organization, mail)
        for key, organization, mail in db.execute(
            "select _pk, payload ->> 'organization_id', lower(btrim(payload ->> 'email')) from raw_zendesk.users"
        )
    }
    for status, priority, organization, requester, created, updated, solved, loaded_at in db.execute(_TICKETS):
        own_organization, mail = users.get(requester, (None, None))
        key = known.of("zendesk", organization) or known.of("zendesk", own_organization) or known.people.get(mail or "")
        account = found.get(key or "")
        if account:
            ended = _moment(solved or updated).date() if status in _ENDED else None
            account.tickets.append(Ticket(_moment(created).date(), ended, priority))
            account.came(loaded_at)


def _answers(db: psycopg.Connection, known: Whose, found: Mapping[str, Account]) -> None:
    for external_id, mail, score, responded_at, loaded_at in db.execute(_ANSWERS):
        account = found.get(known.of("survey", external_id) or known.people.get(mail or "") or "")
        if account and responded_at and score and int(score) <= 10:
            account.answers.append(Answer(_moment(responded_at), int(score)))
            account.came(loaded_at)


def _conversations(db: psycopg.Connection, known: Whose, found: Mapping[str, Account]) -> None:
    """Of the companies it is about; without one, of the people who took part."""
    for happened, loaded_at, companies, people in db.execute(_CONVERSATIONS):
        keys = {known.of("hubspot", one) for one in companies or ()} - {None}
        for key in keys or {known.contacts.get(one) for one in people or ()}:
            account = found.get(key or "")
            if account:
                account.contact_days.append(_moment(happened).date())
                account.came(loaded_at)


def events(db: psycopg.Connection, known: Whose, key: str, account: Account, days: Iterable[date]) -> None:
    """Read the events that count towards figures of these days."""
    tenants = [int(one) for (source, one), owner in known.links.items() if source == "product" and owner == key]
    wanted = sorted({day - timedelta(days=back) for day in days for back in range(USAGE_DAYS)})
    query = """
        select (occurred_at at time zone 'UTC')::date, user_id, event_name, _loaded_at from raw_product.usage_events
        where tenant_id = any(%s) and occurred_at >= %s and occurred_at < %s
            and (occurred_at at time zone 'UTC')::date = any(%s)
    """
    if not wanted:
        return
    for day, user_id, name, loaded_at in db.execute(
        query, [tenants, wanted[0], wanted[-1] + timedelta(days=1), wanted]
    ):
        account.events.append(Event(day, user_id, name))
        account.came(loaded_at)
