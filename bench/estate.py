"""Raw tables filled by SQL: two years of an estate in the shape of the simulator's, which would take hours to speak it
through five wires. Per account about 17 invoices, 46 tickets, 36 engagements, 8 answers, 21 users and 2,000 usage
events; who belongs to whom is written into every record, since finding that out is measured elsewhere.
"""

from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg import sql

from extract.partitions import ensure_month

FIRST_DAY = date(2024, 11, 23)
DAYS = 730

# As many members more as a vendor sends beside those that are read: what is stored is what has to be read past.
_FILLER = """
create temporary table filler as
select jsonb_object_agg('field_' || n, md5(n::text)) as members from generate_series(1, 24) as n;
create temporary table accounts (
    no integer primary key, founded date, ended date, seats integer, plan text, price integer, monthly integer,
    pace real
);
"""

_ACCOUNTS = """
insert into accounts
select
    no, founded,
    case when random() < 0.12 then least(founded + 120 + (random() * 900)::int, %(last)s - 5) end,
    2 + (30 * random() ^ 3)::int, plan.name, plan.price,
    case when random() < 0.4 then 12 else 1 end, (0.4 + 1.2 * random())::real
from generate_series(1, %(accounts)s) as no
cross join lateral (
    select case
        when random() < 0.6 + no * 0 then %(first)s - (random() * 900)::int
        else %(first)s + (random() * 690)::int
    end as founded
) as founding
cross join lateral (
    select * from (values ('essentials', 3900), ('professional', 6600), ('enterprise', 9900)) as known (name, price)
    order by random() + no * 0 limit 1
) as plan;
analyze accounts;
"""

_PUT = """
insert into {table} (
    _pk, _src_version, _row_hash, _first_loaded_at, _loaded_at, _seen_at, _load_id, payload{extra}
)
select pk, %(load_id)s, '', %(at)s, %(at)s, %(at)s, %(load_id)s, payload{values} from (
    {rows}
) as made (pk, payload)
on conflict (_pk) do update
set _loaded_at = excluded._loaded_at, _load_id = excluded._load_id, payload = excluded.payload
"""

# Source, table and the rows: key and payload.
_CATALOGUE = {
    ("hubspot", "owners"): """
        select n::text, jsonb_build_object('id', n::text, 'email', 'person' || n || '@force24.example',
            'firstName', 'Person', 'lastName', n::text)
        from generate_series(1, 40) as n""",
    ("stripe", "products"): """
        select name, jsonb_build_object('id', name, 'name', initcap(name))
        from (values ('essentials'), ('professional'), ('enterprise')) as known (name)""",
    ("stripe", "prices"): """
        select name || months, jsonb_build_object('id', name || months, 'product', name, 'currency', 'eur', 'recurring',
            jsonb_build_object('interval', 'month', 'interval_count', months))
        from (values ('essentials'), ('professional'), ('enterprise')) as known (name)
        cross join (values (1), (12)) as terms (months)""",
}
_FOUNDED = {
    ("hubspot", "companies"): """
        select 'c' || no, jsonb_build_object('id', 'c' || no, 'properties', members || jsonb_build_object(
            'name', 'Account ' || no, 'domain', 'account' || no || '.example', 'tenant_id', no::text,
            'hubspot_owner_id', (1 + no %% 40)::text, 'createdate', founded, 'country', 'DE', 'industry', 'RETAIL',
            'customer_segment', 'SMB', 'onboarding_completed_date', founded + 60))
        from accounts cross join filler""",
    ("stripe", "customers"): """
        select 'cus' || no, members || jsonb_build_object('id', 'cus' || no, 'name', 'Account ' || no,
            'email', 'accounts@account' || no || '.example', 'metadata', jsonb_build_object('tenant_id', no::text))
        from accounts cross join filler""",
    ("stripe", "subscriptions"): """
        select 'sub' || no, members || jsonb_build_object('id', 'sub' || no, 'customer', 'cus' || no,
            'status', case when ended is null then 'active' else 'canceled' end, 'currency', 'eur',
            'created', extract(epoch from founded), 'start_date', extract(epoch from founded),
            'billing_cycle_anchor', extract(epoch from founded), 'canceled_at', extract(epoch from ended),
            'ended_at', extract(epoch from ended), 'metadata', '{{}}'::jsonb,
            'cancellation_details', jsonb_build_object('reason', 'cancellation_requested'),
            'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si' || no,
                'quantity', seats, 'price', jsonb_build_object('id', plan || monthly, 'product', plan,
                'recurring', jsonb_build_object('interval', case when monthly = 12 then 'year' else 'month' end))))))
        from accounts cross join filler""",
    ("zendesk", "organizations"): """
        select no::text, jsonb_build_object('id', no, 'name', 'Account ' || no, 'external_id', no::text,
            'domain_names', jsonb_build_array('account' || no || '.example'))
        from accounts""",
    ("zendesk", "users"): """
        select (no * 10 + n)::text, members || jsonb_build_object('id', no * 10 + n, 'role', 'end-user',
            'email', 'person' || n || '@account' || no || '.example', 'organization_id', no)
        from accounts cross join filler cross join generate_series(1, 4) as n""",
    ("product", "tenants"): """
        select no::text, jsonb_build_object('id', no, 'name', 'Account ' || no, 'plan', plan, 'created_at', founded)
        from accounts""",
    ("product", "users"): """
        select (no * 1000 + n)::text, jsonb_build_object('id', no * 1000 + n, 'tenant_id', no, 'created_at', founded,
            'email', 'person' || n || '@account' || no || '.example')
        from accounts cross join generate_series(1, 21) as n""",
    ("hubspot", "contacts"): """
        select 'p' || no * 10 + n, jsonb_build_object('id', 'p' || no * 10 + n, 'properties', members ||
            jsonb_build_object('email', 'person' || n || '@account' || no || '.example', 'firstname', 'Person',
            'lastname', n::text, 'associatedcompanyid', 'c' || no, 'createdate', founded + 9 * n,
            'buying_role', (array['CHAMPION', 'DECISION_MAKER', 'BUDGET_HOLDER', 'END_USER'])[n],
            'left_company_date', case when random() < 0.1 then founded + 200 + n end))
        from accounts cross join filler cross join generate_series(1, 4) as n""",
    ("stripe", "invoices"): """
        select 'in' || no || '_' || period, members || jsonb_build_object('id', 'in' || no || '_' || period,
            'customer', 'cus' || no, 'number', no || '-' || period, 'currency', 'eur', 'attempted', true,
            'status', case when random() < 0.02 then 'open' else 'paid' end, 'attempt_count', 1,
            'subtotal', amount, 'amount_due', amount, 'amount_paid', amount, 'created', extract(epoch from start),
            'period_start', extract(epoch from start), 'period_end', extract(epoch from until),
            'parent', jsonb_build_object('subscription_details', jsonb_build_object('subscription', 'sub' || no)),
            'status_transitions', jsonb_build_object('finalized_at', extract(epoch from start),
                'paid_at', extract(epoch from start) + 86400),
            'lines', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'il' || no || '_' || period,
                'amount', amount, 'currency', 'eur', 'quantity', seats,
                'pricing', jsonb_build_object('price_details', jsonb_build_object('price', plan || monthly,
                    'product', plan)),
                'period', jsonb_build_object('start', extract(epoch from start), 'end', extract(epoch from until))))))
        from accounts cross join filler
        cross join lateral generate_series(0, 24 / monthly) as period
        cross join lateral (
            select
                (greatest(founded, %(first)s) + make_interval(months => period * monthly))::date as start,
                (greatest(founded, %(first)s) + make_interval(months => (period + 1) * monthly))::date as until,
                seats * price * monthly as amount
        ) as term
        where start < least(coalesce(ended, 'infinity'), %(last)s)""",
}
_HAPPENED = {
    ("zendesk", "tickets"): """
        select 't' || no || '_' || at::date || n, members || jsonb_build_object('id', no, 'subject', 'Export ' || n,
            'status', case when solved is null then 'open' else 'solved' end, 'organization_id', no,
            'tags', '[]'::jsonb,
            'priority', case when random() < 0.08 then 'urgent' else 'normal' end, 'requester_id', no * 10 + 1,
            'created_at', at, 'updated_at', coalesce(solved, at), 'metric_set', jsonb_build_object(
                'solved_at', solved, 'reply_time_in_minutes', jsonb_build_object('calendar', (random() * 600)::int)))
        from ({ticket_moments}) as moments cross join filler
        cross join lateral (
            select case when at < %(last)s then at + random() * interval '4 days' end as solved
        ) as ending""",
    ("hubspot", "meetings"): """
        select 'm' || no || '_' || at::date || n, jsonb_build_object('id', 'm', 'properties', members ||
            jsonb_build_object('hs_timestamp', at, 'hs_meeting_title', 'Review', 'hubspot_owner_id', '1',
            'hs_meeting_outcome', case when random() < 0.8 then 'COMPLETED' else 'NO_SHOW' end))
        from ({meeting_moments}) as moments cross join filler""",
    ("hubspot", "assoc_meeting_company"): """
        select _pk || ':c', jsonb_build_object('from_id', _pk, 'to_id', 'c' || substring(_pk from 'm([0-9]+)_'),
            'labels', '[]'::jsonb)
        from raw_hubspot.meetings where _load_id = %(load_id)s""",
    ("hubspot", "assoc_meeting_contact"): """
        select _pk || ':p', jsonb_build_object('from_id', _pk, 'to_id',
            'p' || substring(_pk from 'm([0-9]+)_')::int * 10 + 1, 'labels', '[]'::jsonb)
        from raw_hubspot.meetings where _load_id = %(load_id)s""",
    ("survey", "responses"): """
        select 's' || no || '_' || at::date || n, jsonb_build_object('response_id', n, 'survey_id', 's',
            'account_external_id', no::text, 'score', (4 + random() * 6)::int, 'responded_at', at)
        from ({answer_moments}) as moments""",
}
# So many things happen to an account in two years, at random moments of its life. A window of them is one load.
_MOMENTS = """
    select no, n, at from accounts cross join generate_series(1, {count}) as n
    cross join lateral (
        select ((%(from)s)::timestamp + random() * ((%(until)s)::timestamp - (%(from)s)::timestamp) + no * interval '0')
            at time zone 'UTC' as at
    ) as moment
    where at >= founded and at < coalesce(ended, 'infinity')
"""
_COUNTS = {"ticket_moments": 46, "meeting_moments": 36, "answer_moments": 8}

# A third are automations saying that they live, the rest is people's work: fewer at the weekend, by the account's pace.
_USAGE = """
insert into raw_product.usage_events (
    event_id, tenant_id, user_id, event_name, feature, occurred_at, ingested_at, duration_ms, properties, _load_id,
    _loaded_at
)
select
    %(first_id)s + row_number() over (), no, case when kind > 0 then no * 1000 + 1 + (20 * random() ^ 2)::int end,
    (array['automation_live', 'login', 'campaign_sent', 'contacts_imported', 'report_viewed', 'lead_scored'])[1 + kind],
    (array['automation', 'core', 'campaigns', 'contacts', 'reporting', 'lead_scoring'])[1 + kind],
    at, at + interval '1 minute', 1000,
    case when kind = 0 then jsonb_build_object('automation_id', no * 10 + n %% 3) end, %(load_id)s, %(at)s
from generate_series(%(from)s::date, %(until)s::date, interval '1 day') as day
cross join accounts
cross join lateral generate_series(
    1, (3.6 * 2 * pace * random() * case when extract(isodow from day) > 5 then 0.4 else 1.25 end)::int
) as n
cross join lateral (
    select
        day at time zone 'UTC' + random() * interval '23 hours' + n * interval '0' as at,
        case when n %% 3 = 0 then 0 else 1 + (random() ^ 2 * 4.99 + n * 0)::int end as kind
) as event
where no <= %(users)s and day >= founded and (ended is null or day < ended)
"""


def _load(db: psycopg.Connection, source_now: datetime) -> dict[str, object]:
    row = db.execute(
        "insert into ops.load_run (source, stream, kind, started_at, ended_at, status, source_now)"
        " values ('all', 'all', 'incremental', %(at)s, %(at)s + interval '1 minute', 'succeeded', %(at)s)"
        " returning load_id",
        {"at": source_now},
    ).fetchone()
    assert row
    return {"load_id": row[0], "at": source_now}


def _put(db: psycopg.Connection, tables: dict[tuple[str, str], str], values: dict[str, object]) -> None:
    for (source, table), rows in tables.items():
        moments = {
            name: sql.SQL(_MOMENTS).format(count=sql.Placeholder(name)) for name in _COUNTS if f"{{{name}}}" in rows
        }
        is_file = source == "survey"
        statement = sql.SQL(_PUT).format(
            table=sql.Identifier(f"raw_{source}", table),
            rows=sql.SQL(rows).format(**moments),  # pyright: ignore[reportArgumentType]
            extra=sql.SQL(", _file_sha256, _line_no" if is_file else ""),
            values=sql.SQL(", '0', 1" if is_file else ""),
        )
        with psycopg.ClientCursor(db) as cursor:
            cursor.execute(statement, values)


def _use(db: psycopg.Connection, values: dict[str, object]) -> int:
    with psycopg.ClientCursor(db) as cursor:
        cursor.execute(_USAGE, values)
        return cursor.rowcount


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def _ensure_month(db: psycopg.Connection, day: date) -> None:
    with db.cursor() as cursor:
        parent = sql.Identifier("raw_product", "usage_events")
        ensure_month(cursor, parent, "raw_product", "usage_events", _midnight(day))


def fill(db: psycopg.Connection, accounts: int) -> int:
    """Two years up to FIRST_DAY + DAYS as one load, `db` being an administrator's. Returns the number of events.

    The accounts stay in a temporary table of this connection, which `next_day` needs.
    """
    last = FIRST_DAY + timedelta(days=DAYS - 1)
    db.execute("select setseed(0.24)")
    with psycopg.ClientCursor(db) as cursor:
        cursor.execute(_FILLER)
        cursor.execute(_ACCOUNTS, {"accounts": accounts, "first": FIRST_DAY, "last": last})
    values = _load(db, _midnight(last + timedelta(days=1)) + timedelta(hours=2))
    values |= {"first": FIRST_DAY, "last": last, "from": FIRST_DAY, "until": last + timedelta(days=1), **_COUNTS}
    _put(db, _CATALOGUE | _FOUNDED | _HAPPENED, values)
    made = 0
    month = FIRST_DAY
    while month <= last:
        following = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
        _ensure_month(db, month)
        until = min(following - timedelta(days=1), last)
        made += _use(db, values | {"from": month, "until": until, "users": accounts, "first_id": made})
        month = following
    return made


def next_day(db: psycopg.Connection, day: date, *, changed: int, first_id: int) -> None:
    """A later load: on `day` so many accounts were used, and of every 20 of these one had a ticket, a meeting or an
    answer, some of them days ago. The rest is silent.
    """
    values = _load(db, _midnight(day + timedelta(days=1)) + timedelta(hours=2))
    _ensure_month(db, day)
    made = _use(db, values | {"from": day, "until": day, "users": changed, "first_id": first_id})
    late = day - timedelta(days=40)
    _use(db, values | {"from": late, "until": late, "users": changed // 50, "first_id": first_id + made})
    db.execute("create temporary table everybody as select * from accounts")
    db.execute("delete from accounts where no > %s or no %% 20 > 0", (changed,))
    values |= {"first": FIRST_DAY, "last": day, "from": day - timedelta(days=3), "until": day + timedelta(days=1)}
    _put(db, _HAPPENED, values | dict.fromkeys(_COUNTS, 1))
    db.execute("truncate accounts")
    db.execute("insert into accounts select * from everybody")
    db.execute("drop table everybody")
