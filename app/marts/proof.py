"""The proof of a figure: from its row in a mart down to the source records it rests on, by what was declared and not by
guessing.

Beside the SQL of every mart stands what each column rests on (`meta.proof` in dbt); a publication keeps that with the
version of the models that made it. So a proof is of the build that is published, by the words of what built it:
- `inputs`: source records that count towards a quantity, on a day or ever (marts.fct_figure_inputs);
- `usage`: events of the account's tenants in so many days (ops.usage_rows);
- `figures`: rows of other marts, each with a proof of its own; `from`: columns of the same row;
- `application`: a row that people made here, which no load brought.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Date, Text, cast, column, func, literal, or_, select, table, text

from app.db import reading_mart
from app.errors import MartUnavailable, NotFound

_KEY_TYPES = {"text": Text, "date": Date}


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record of a source, or a line of an invoice (`part`), that counts towards `quantity` until before `to_date`.

    `amount` is what it adds, None where it only says something; `load_id` and `loaded_at` are of the load that brought
    it as this build found it, `load_kind` incremental or full_scan.
    """

    quantity: str
    source: str
    stream: str
    source_id: str
    part: str
    from_date: date | None
    to_date: date | None
    amount: float | None
    load_id: int
    loaded_at: datetime
    load_kind: str | None


_RECORD = tuple(one.name for one in fields(SourceRecord) if one.name != "load_kind")


@dataclass(frozen=True, slots=True)
class Quantity:
    """The records behind one quantity; `total` adds up the amounts of all `count`, `records` are the newest of them."""

    name: str
    on_date: date | None
    count: int
    total: float | None
    records: list[SourceRecord]


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One event of the product."""

    event_id: int
    tenant_id: int
    user_id: int | None
    event_name: str
    occurred_at: datetime
    load_id: int
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """Events of the account's tenants from `first_date` to `last_date`, both included; the newest of all `count`."""

    first_date: date
    last_date: date
    count: int
    user_count: int
    events: list[UsageEvent]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a mart that another one rests on; `value` as text, None where there is none."""

    mart: str
    key: tuple[str, ...]
    column: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A model, seed or raw table above a mart; a raw one has no `path` and no `digest` (of its SQL and macros).

    `reads`: names of what it is made of; `tests`: how many data tests it has to pass before anything is published;
    `read_by`: pages, routes and jobs that read it. Versions from before these were kept have none of the three.
    """

    name: str
    layer: str
    path: str
    digest: str
    reads: tuple[str, ...] = ()
    tests: int = 0
    read_by: tuple[str, ...] = ()


CHAIN = TypeAdapter(list[Step])  # as model_versions keeps it


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One published figure and everything it rests on, of one build. `value` is as published, as text."""

    mart: str
    key: tuple[str, ...]
    column: str
    value: str | None
    account_key: str | None
    formula: str
    model_version: str
    path: str
    chain: list[Step]
    build_id: int
    published_at: datetime
    as_of_date: date
    quantities: list[Quantity] = field(default_factory=list)
    usage: Usage | None = None
    figures: list[Figure] = field(default_factory=list)
    application_row: tuple[str, str] | None = None

    @property
    def loads(self) -> dict[int, datetime]:
        """Loads that brought the records that are shown, newest first: when by id."""
        rows = [record for quantity in self.quantities for record in quantity.records]
        shown = [*rows, *(self.usage.events if self.usage else ())]
        return dict(sorted({row.load_id: row.loaded_at for row in shown}.items(), reverse=True))


@dataclass(frozen=True, slots=True)
class _Model:
    """A mart as the published build made it."""

    version: str
    path: str
    key: list[str]
    chain: list[Mapping[str, Any]]
    columns: Mapping[str, Mapping[str, Any]]
    build_id: int
    published_at: datetime
    as_of_date: date


_MODEL = text(
    """
    select m.version, m.path, m.key, m.chain, m.columns, p.build_id, p.published_at, p.as_of_date
    from (select * from marts.publications order by build_id desc limit 1) as p
    join marts.model_versions as m on m.mart = :mart and m.version = p.model_versions ->> :mart
    """
)

_USAGE = text(
    """
    select
        e.event_id, e.tenant_id, e.user_id, e.event_name, e.occurred_at, e.load_id, e.loaded_at,
        count(*) over () as event_count,
        (select count(distinct u.user_id) from ops.usage_rows as u
         where u.tenant_id = any(:tenants) and u.occurred_at >= :first and u.occurred_at < :until) as user_count
    from ops.usage_rows as e
    where e.tenant_id = any(:tenants) and e.occurred_at >= :first and e.occurred_at < :until
    order by e.occurred_at desc, e.event_id desc
    limit :limit
    """
)

_TENANTS = text(
    """
    select cast(source_id as bigint) from marts.bridge_account_sources
    where account_key = :account_key and source = 'product' and is_linked and source_id ~ '^[0-9]{1,18}$'
    """
)


def prove(db: Connection, mart: str, key: Sequence[str], name: str, *, limit: int = 200) -> Proof:
    """Walk down from column `name` of the row of `mart` that has this key; at most `limit` rows of each kind.

    `db` reads one build (`app.db.read`). Raises NotFound for a mart, column or row that is not published,
    MartUnavailable before the first build.
    """
    with reading_mart("model_versions"):
        model = _model(db, mart)
        rests = model.columns.get(name)
        if rests is None or len(key) != len(model.key):
            raise NotFound("figure", f"{mart}.{name}")
        row, value = _row(db, mart, model, key, name)
        same = [Figure(mart, tuple(key), one, _shown(row[one])) for one in rests.get("from", ())]
        application = rests.get("application")
        return Proof(
            mart=mart,
            key=tuple(key),
            column=name,
            value=value,
            account_key=row.get("account_key"),
            formula=rests["formula"],
            model_version=model.version,
            path=model.path,
            chain=CHAIN.validate_python(model.chain),
            build_id=model.build_id,
            published_at=model.published_at,
            as_of_date=model.as_of_date,
            quantities=[_quantity(db, row, wanted, limit) for wanted in rests.get("inputs", ())],
            usage=_usage(db, row, rests["usage"], limit) if "usage" in rests else None,
            figures=same + [one for wanted in rests.get("figures", ()) for one in _figures(db, row, wanted, limit)],
            application_row=(application["table"], str(row[application["id"]])) if application else None,
        )


def _model(db: Connection, mart: str) -> _Model:
    found = db.execute(_MODEL, {"mart": mart.replace("\x00", "")}).one_or_none()
    if found is not None:
        return _Model(*found)
    if not db.execute(text("select exists (select from marts.publications)")).scalar_one():
        raise MartUnavailable(mart)
    raise NotFound("figure", mart)


def _row(
    db: Connection, mart: str, model: _Model, key: Sequence[str], name: str
) -> tuple[Mapping[str, Any], str | None]:
    """The row as JSON has it, and the figure as text."""
    source = table(mart, *(column(one) for one in {*model.key, name}), schema="marts").alias("held")
    wanted = select(func.to_jsonb(text("held")).label("row"), cast(source.c[name], Text)).select_from(source)
    for key_name, given in zip(model.key, key, strict=True):
        kind = _KEY_TYPES[model.columns[key_name]["type"]]
        wanted = wanted.where(source.c[key_name] == _as(kind, given))
    found = db.execute(wanted.limit(1)).one_or_none()
    if found is None:
        raise NotFound("figure", ", ".join(key))
    return found[0], found[1]


def _as(kind: type[Text] | type[Date], given: str) -> Any:
    """A part of a key as its column has it; NotFound for a day that is none."""
    if kind is Text:
        return literal(given.replace("\x00", ""), Text())
    try:
        return literal(date.fromisoformat(given), Date())
    except ValueError:
        raise NotFound("figure", given) from None


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


def _day(row: Mapping[str, Any], name: str) -> date:
    return date.fromisoformat(row[name])


def _quantity(db: Connection, row: Mapping[str, Any], wanted: Mapping[str, Any], limit: int) -> Quantity:
    inputs = table("fct_figure_inputs", *(column(name) for name in (*_RECORD, "account_key")), schema="marts")
    runs = table("load_run", column("load_id"), column("kind"), schema="ops")
    of = inputs.c
    counted = func.count().over().label("record_count"), func.sum(of.amount).over().label("total")
    query = (
        select(*(of[name] for name in _RECORD), runs.c.kind, *counted)
        .select_from(inputs.outerjoin(runs, runs.c.load_id == of.load_id))
        .where(of.quantity == wanted["quantity"])
        .order_by(of.from_date.desc().nulls_last(), of.source_id, of.part)
        .limit(limit)
    )
    for input_name, row_name in wanted.get("where", {"account_key": "account_key"}).items():
        query = query.where(of[input_name].is_not_distinct_from(literal(_shown(row[row_name]), Text())))
    on_date = _day(row, wanted["at"]) if "at" in wanted else None
    if on_date is not None:
        query = query.where(or_(of.from_date.is_(None), of.from_date <= on_date))
        query = query.where(or_(of.to_date.is_(None), of.to_date > on_date))
    found = db.execute(query).all()
    records = [
        SourceRecord(
            **{name: one._mapping[name] for name in _RECORD} | {"amount": _number(one.amount), "load_kind": one.kind}
        )
        for one in found
    ]
    total = _number(found[0].total) if found else None
    return Quantity(wanted["quantity"], on_date, found[0].record_count if found else 0, total, records)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _usage(db: Connection, row: Mapping[str, Any], wanted: Mapping[str, Any], limit: int) -> Usage:
    last = _day(row, wanted["at"])
    first = last - timedelta(days=wanted["days"] - 1)
    tenants = list(db.execute(_TENANTS, {"account_key": row["account_key"]}).scalars())
    found = db.execute(
        _USAGE, {"tenants": tenants, "first": first, "until": last + timedelta(days=1), "limit": limit}
    ).all()
    counts = (found[0].event_count, found[0].user_count) if found else (0, 0)
    return Usage(first, last, *counts, [UsageEvent(*one[:7]) for one in found])


def _figures(db: Connection, row: Mapping[str, Any], wanted: Mapping[str, Any], limit: int) -> list[Figure]:
    """Figures of another mart: those of its rows whose columns equal columns of this one."""
    mart, name = wanted["mart"], wanted["column"]
    key = _model(db, mart).key
    held = table(mart, *(column(one) for one in {*key, name, *wanted["where"]}), schema="marts").c
    query = select(*(cast(held[one], Text) for one in key), cast(held[name], Text))
    for held_name, row_name in wanted["where"].items():
        query = query.where(cast(held[held_name], Text) == _shown(row[row_name]))
    found = db.execute(query.order_by(*(held[one] for one in reversed(key))).limit(limit))
    return [Figure(mart, tuple(one[:-1]), name, one[-1]) for one in found]
