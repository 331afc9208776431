"""Builds what a test needs, so that it shows only what matters to it.

The mart tables are made from the contracts that dbt enforces, so a reader that asks for a column nobody builds fails
here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import yaml
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine, event

from app import one_time_codes
from app.actions import service as actions
from app.actions.model import Action, ActionDetail, ActionDraft, OutcomeDraft
from app.auth import Identity, Role
from app.db import make_engine, unit_of_work
from app.marts.health import MEASURES
from app.migrations.run import upgrade
from app.users import create_user
from extract.schema import ensure
from local.postgres import Postgres
from tests.conftest import drop_database, make_warehouse

MARTS = Path(__file__).resolve().parents[2] / "dbt" / "models" / "marts"
AS_OF = date(2026, 11, 19)  # a Thursday
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)  # the Friday after
PASSWORD = "a long sentence of words"


@lru_cache
def mart_columns() -> Mapping[str, Mapping[str, str]]:
    """Column types of every mart, from dbt's contracts."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(MARTS.rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            found[model["name"]] = {column["name"]: column["data_type"] for column in model.get("columns", [])}
    return found


def create_marts(transformer: psycopg.Connection) -> None:
    """Empty mart tables with the columns of the contracts."""
    for name, columns in mart_columns().items():
        parts = [sql.SQL("{} ").format(sql.Identifier(column)) + sql.SQL(kind) for column, kind in columns.items()]  # pyright: ignore[reportArgumentType]
        transformer.execute(
            sql.SQL("create table marts.{} ({})").format(sql.Identifier(name), sql.SQL(", ").join(parts))
        )


def key_of(name: str) -> str:
    """The account key of an account's name."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Estate:
    """A warehouse with schema app, empty marts, and ways to fill them."""

    engine: Engine
    transformer: psycopg.Connection
    admin: psycopg.Connection
    application_url: str
    loader_dsn: str
    people: dict[str, Identity] = field(default_factory=dict)

    @contextmanager
    def work(self) -> Iterator[Connection]:
        """A unit of work as the application."""
        with unit_of_work(self.engine) as db:
            yield db

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that reach the database by `engine` inside the block."""
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        event.listen(self.engine, "before_cursor_execute", note)
        yield seen
        event.remove(self.engine, "before_cursor_execute", note)

    def put(self, mart: str, **values: Any) -> None:
        """One row of a mart."""
        plain = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in values.items()}
        self.transformer.execute(
            sql.SQL("insert into marts.{} ({}) values ({})").format(
                sql.Identifier(mart),
                sql.SQL(", ").join(map(sql.Identifier, plain)),
                sql.SQL(", ").join(sql.Placeholder() * len(plain)),
            ),
            list(plain.values()),
        )

    def set(self, mart: str, account_key: str, **values: Any) -> None:
        """Change the rows of one account in a mart."""
        for name, value in values.items():
            self.transformer.execute(
                sql.SQL("update marts.{} set {} = %s where account_key = %s").format(
                    sql.Identifier(mart), sql.Identifier(name)
                ),
                [value, account_key],
            )

    def clear(self, mart: str) -> None:
        """Empty a mart."""
        self.transformer.execute(sql.SQL("truncate marts.{}").format(sql.Identifier(mart)))

    def publish(self, as_of: date = AS_OF) -> int:
        """Publish a build; returns its id."""
        row = self.transformer.execute(
            "insert into marts.publications (as_of_date) values (%s) returning build_id", [as_of]
        ).fetchone()
        assert row
        return row[0]

    def account(self, name: str = "Ashford Media", **values: Any) -> str:
        """An active account; returns its key."""
        defaults = {
            "account_key": key_of(name),
            "account_id": f"hs-{name}",
            "account_name": name,
            "domain": f"{name.split()[0].lower()}.example",
            "csm_email": "maya.lind@force24.example",
            "csm_name": "Maya Lind",
            "currency_code": "GBP",
            "mrr": 1000,
            "mrr_eur": 1150,
            "mrr_at_risk_eur": 230,
            "churn_probability_90d": 0.2,
            "churn_risk_band": "Medium",
            "health_score": 70.0,
            "health_band": "Y",
            "days_to_renewal": 100,
            "is_active": True,
            "as_of_date": AS_OF,
        }
        self.put("dim_accounts", **(defaults | values))
        return key_of(name)

    def health(self, account_key: str, scores: Sequence[float | None], *, last: date = AS_OF, **measures: Any) -> None:
        """Daily scores, oldest first, the last on `last`; contributions are put on seat use unless given."""
        nothing = {f"{measure}_contribution": None for measure in MEASURES}
        for back, score in enumerate(reversed(scores)):
            row = nothing | {"seat_use_contribution": score} | measures
            self.put(
                "fct_account_health_daily",
                account_key=account_key,
                health_date=last - timedelta(days=back),
                score=score,
                band="Y" if score is not None else None,
                coverage_ratio=1.0,
                config_version=1,
                **row,
            )

    def usage(self, account_key: str, weeks: list[tuple[int, int]], *, last: date = AS_OF) -> None:
        """Rows of (count of 7 days, of the 7 before), oldest first, the last on `last`; 30 days are four times as
        many.
        """
        for back, (count, previous) in enumerate(reversed(weeks)):
            self.put(
                "fct_usage_daily",
                account_key=account_key,
                usage_date=last - timedelta(days=back),
                active_user_count=3,
                session_count=5,
                key_activity_count=1,
                campaign_sent_count=1,
                key_activity_7d=count,
                key_activity_prev_7d=previous,
                key_activity_30d=100,
                key_activity_prev_30d=100,
            )

    def risk(self, account_key: str, *days: tuple[float, str], last: date = AS_OF) -> None:
        """Churn risk as (probability, band) of days, oldest first, the last on `last`; learned, with one driver."""
        for back, (probability, band) in enumerate(reversed(days)):
            self.put(
                "fct_churn_risk_daily",
                account_key=account_key,
                risk_date=last - timedelta(days=back),
                churn_probability_90d=probability,
                churn_risk_band=band,
                risk_kind="learned",
                drivers=Jsonb([{"text": "Health score 33", "direction": "raises"}]),
            )

    def invoice(self, account_key: str, invoice_id: str = "in_1", **values: Any) -> None:
        """An unpaid invoice, 40 days overdue."""
        defaults = {
            "invoice_id": invoice_id,
            "account_key": account_key,
            "invoice_number": f"INV-{invoice_id}",
            "status": "open",
            "currency_code": "GBP",
            "amount_due": 1240,
            "amount_paid": 0,
            "amount_due_eur": 1426,
            "invoiced_at": datetime.combine(AS_OF - timedelta(days=54), time(), UTC),
            "due_date": AS_OF - timedelta(days=40),
            "is_overdue": True,
            "days_overdue": 40,
            "has_failed_payment": False,
            "attempt_count": 0,
        }
        self.put("fct_invoices", **(defaults | values))

    def loads(self) -> None:
        """What the extractors write of their loads, as they make it."""
        with psycopg.connect(self.loader_dsn, autocommit=True) as loader:
            ensure(loader)

    def load(self, source: str, stream: str, status: str, at: datetime, *, source_now: datetime | None = None) -> None:
        """One load of a stream that began and ended at a moment."""
        self.admin.execute(
            "insert into ops.load_run (source, stream, kind, started_at, ended_at, status, source_now)"
            " values (%s, %s, 'incremental', %s, %s, %s, %s)",
            [source, stream, at, at, status, source_now or at],
        )

    def user(self, name: str = "Maya Lind", role: Role = Role.CSM, *, owns_accounts: bool | None = None) -> Identity:
        """A person who may sign in with PASSWORD; a CSM owns accounts in the CRM under the same address."""
        if name in self.people:
            return self.people[name]
        email = f"{name.lower().replace(' ', '.')}@force24.example"
        has_accounts = role is Role.CSM if owns_accounts is None else owns_accounts
        with self.work() as db:
            made = create_user(
                db,
                now=NOW - timedelta(days=100),
                email=email,
                display_name=name,
                role=role,
                password=PASSWORD,
                owner_email=email if has_accounts else None,
            )
        self.people[name] = Identity(
            user_id=made.user_id,
            email=made.email,
            display_name=made.display_name,
            role=made.role,
            owner_email=made.owner_email,
        )
        return self.people[name]

    def second_factor(self, who: Identity) -> None:
        """An authenticator app that counts."""
        self.admin.execute(
            "insert into app.second_factors (user_id, secret, created_at, confirmed_at, last_step)"
            " values (%s, %s, %s, %s, 0)",
            [who.user_id, one_time_codes.new_secret(), NOW, NOW],
        )

    def action(self, *, actor: Identity, now: datetime = NOW, **draft: Any) -> Action:
        """A new action on a published account."""
        with self.work() as db:
            return actions.create_action(db, actor=actor, now=now, draft=a_draft(**draft), idempotency_key=a_key())

    def detail(self, action_id: UUID) -> ActionDetail:
        """An action as it is now, with its story."""
        with self.work() as db:
            return actions.get_action(db, action_id)

    def edit(self, actor: Identity, action: Action, **changes: Any) -> Action:
        """The action as given, with some fields changed."""
        with self.work() as db:
            return actions.edit_action(
                db,
                actor=actor,
                now=NOW,
                action_id=action.action_id,
                expected_version=action.version,
                changes=changes,
                idempotency_key=a_key(),
            )

    def move(
        self,
        actor: Identity,
        action: Action,
        to: str,
        *,
        now: datetime = NOW,
        expected_version: int | None = None,
        **more: Any,
    ) -> Action:
        """The action as given, in another status; `more` is what the move needs."""
        with self.work() as db:
            return actions.transition(
                db,
                actor=actor,
                now=now,
                action_id=action.action_id,
                expected_version=expected_version or action.version,
                to_status=to,
                idempotency_key=a_key(),
                **more,
            )

    def close(self, actor: Identity, action: Action, **outcome: Any) -> Action:
        """The action as given, closed with a complete outcome."""
        with self.work() as db:
            return actions.close_action(
                db,
                actor=actor,
                now=NOW,
                action_id=action.action_id,
                expected_version=action.version,
                outcome=an_outcome(**outcome),
                idempotency_key=a_key(),
            )

    def fingerprint(self) -> dict[str, str]:
        """Of every table of the application, but for what any request writes: the session's last use, attempts to sign
        in, what was answered before, and which statements were run to read something.
        """
        tables = self.admin.execute(
            "select table_name from information_schema.tables where table_schema = 'app' and table_type = 'BASE TABLE'"
            " and table_name not in ('sessions', 'login_attempts', 'idempotency_keys',"
            " 'sql_statements')"
        ).fetchall()
        rows = "select coalesce(md5(string_agg(t::text, ',' order by t::text)), '') from app."
        return {name: self.one(f"{rows}{name} as t") for (name,) in tables}

    def one(self, statement: str, *parameters: object) -> Any:
        """The first column of the first row of a statement, as administrator."""
        row = self.admin.execute(statement, parameters).fetchone()  # pyright: ignore[reportArgumentType]
        assert row
        return row[0]


@contextmanager
def an_estate(server: Postgres, *, pool_size: int = 5) -> Iterator[Estate]:
    """An estate on a warehouse of its own on `server`, schema app at the newest migration; dropped at the end."""
    warehouse = make_warehouse(server)
    upgrade(warehouse.application_url)
    engine = make_engine(warehouse.application_url, pool_size=pool_size)
    with (
        psycopg.connect(warehouse.transformer_dsn, autocommit=True) as transformer,
        psycopg.connect(warehouse.admin_dsn, autocommit=True) as admin,
    ):
        create_marts(transformer)
        yield Estate(
            engine=engine,
            transformer=transformer,
            admin=admin,
            application_url=warehouse.application_url,
            loader_dsn=warehouse.loader_dsn,
        )
    engine.dispose()
    drop_database(server, warehouse.database)


def a_key() -> str:
    """A fresh request key."""
    return uuid4().hex


def a_draft(**values: Any) -> ActionDraft:
    """A valid draft on Ashford Media."""
    defaults: dict[str, Any] = {
        "account_key": key_of("Ashford Media"),
        "title": "Call the champion",
        "action_type": "risk",
        "intervention": "diagnostic_call",
    }
    return ActionDraft(**(defaults | values))


def an_outcome(**values: Any) -> OutcomeDraft:
    """A complete outcome."""
    defaults: dict[str, Any] = {
        "result": "successful",
        "done_intervention": "diagnostic_call",
        "closing_note": "Talked it through, usage is back.",
        "execution": "done_as_planned",
        "customer_response": "positive",
        "minutes": 25,
    }
    return OutcomeDraft(**(defaults | values))
