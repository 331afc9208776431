"""Companies of the simulator with all the records they leave in five systems, written into the raw tables at once.

Only their founding is simulated, not a life: who belongs to whom is settled on the first day, and 400 take a second.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql

from simulator import billing_records
from simulator.founding import found_account
from simulator.ledger import Ledger
from simulator.world import Account, World

DAY = (date(2026, 11, 1) - date(1970, 1, 1)).days
RAW = {
    "hubspot": ("companies",),
    "stripe": ("customers", "subscriptions", "invoices", "prices", "products"),
    "zendesk": ("organizations",),
    "product": ("tenants", "users"),
    "survey": ("responses",),
}
Truth = dict[tuple[str, str], str | None]


@dataclass
class Founded:
    """`accounts` as the simulator knows them, `truth` the company id of every record, None of what is nobody's."""

    accounts: list[Account]
    rows: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    truth: Truth = field(default_factory=dict)

    def put(self, source: str, table: str, key: object, payload: dict[str, Any], **marks: Any) -> None:
        """Insert or replace a record; `marks`: merged_into."""
        self.rows.setdefault((source, table), {})[str(key)] = {"payload": payload, **marks}

    def record(self, source: str, table: str, key: object) -> dict[str, Any]:
        """A record's payload, to be changed in place."""
        return self.rows[source, table][str(key)]["payload"]

    def belongs(self, source: str, source_id: object, company: object | None) -> None:
        """Say to whom a record truly belongs."""
        self.truth[source, str(source_id)] = None if company is None else str(company)

    def company(self, key: int, name: str, domain: str, *, tenant: int | None = None) -> None:
        """One more company in the CRM."""
        properties = {"name": name, "domain": domain, "tenant_id": str(tenant) if tenant else None}
        self.put("hubspot", "companies", key, {"id": str(key), "properties": properties})

    def tenant(self, key: int, name: str, *mails: str, company: object | None) -> None:
        """One more tenant with its users' addresses, and whose it is."""
        self.put("product", "tenants", key, {"id": key, "name": name, "created_at": "2026-01-01T00:00:00+00:00"})
        for number, mail in enumerate(mails):
            self.put(
                "product", "users", key * 1000 + number, {"id": key * 1000 + number, "tenant_id": key, "email": mail}
            )
        self.belongs("product", key, company)

    def customer(self, key: str, name: str, mail: str, company: object | None, **metadata: object) -> None:
        """One more customer in billing, and whose it is."""
        ids = {name: str(value) for name, value in metadata.items()}
        self.put("stripe", "customers", key, {"id": key, "name": name, "email": mail, "metadata": ids})
        self.belongs("stripe", key, company)

    def organization(self, key: int, name: str, domain: str, company: object | None) -> None:
        """One more organisation of the help desk, without an external id, and whose it is."""
        self.put("zendesk", "organizations", key, {"id": key, "name": name, "domain_names": [domain]})
        self.belongs("zendesk", key, company)

    def write(self, db: psycopg.Connection) -> None:
        """Replace what the raw tables hold, as one load."""
        now = datetime(2026, 11, 2, 2, tzinfo=UTC)
        row = db.execute(
            "insert into ops.load_run (source, stream, kind, started_at, ended_at, status, source_now)"
            " values ('all', 'all', 'incremental', %s, %s, 'succeeded', %s) returning load_id",
            (now, now, now),
        ).fetchone()
        assert row
        for source, tables in RAW.items():
            for table in tables:
                target = sql.Identifier(f"raw_{source}", table)
                db.execute(sql.SQL("truncate {}").format(target))
                extra = ", _file_sha256, _line_no" if source == "survey" else ""
                names = "_pk, _src_version, _row_hash, _first_loaded_at, _loaded_at, _seen_at, _load_id"
                names += f", _merged_into, _deleted_at, _delete_reason, payload{extra}"
                with (
                    db.cursor() as cursor,
                    cursor.copy(sql.SQL("copy {} ({}) from stdin").format(target, sql.SQL(names))) as copy,
                ):  # pyright: ignore[reportArgumentType]
                    for key, one in self.rows.get((source, table), {}).items():
                        into = one.get("merged_into")
                        marks = (into, now if into else None, "merged" if into else None)
                        tail = ("0", 1) if source == "survey" else ()
                        copy.write_row(
                            (key, row[0], b"", now, now, now, row[0], *marks, json.dumps(one["payload"]), *tail)
                        )


def found(count: int, *, seed: int = 24) -> Founded:
    """So many customers with their companies, customers, subscriptions, organisations, tenants, users and answers."""
    world, ledger = World(seed=seed, first_day=DAY, day=DAY - 1), Ledger()
    billing_records.write_catalogue(world, ledger)
    made = Founded([found_account(world, ledger, DAY - 200, DAY) for _ in range(count)])
    for row in ledger.hubspot.values():
        if row.object_type == "companies":
            properties = {**row.properties, "hs_merged_object_ids": row.merged_ids}
            into = str(row.merged_into) if row.merged_into else None
            made.put("hubspot", "companies", row.id, {"id": str(row.id), "properties": properties}, merged_into=into)
    tables = {
        "customer": "customers",
        "subscription": "subscriptions",
        "invoice": "invoices",
        "price": "prices",
        "product": "products",
    }
    for row in ledger.stripe.values():
        made.put("stripe", tables[row.object], row.id, row.doc)
    for row in ledger.zendesk.values():
        if row.kind == "organizations":
            made.put("zendesk", "organizations", row.id, row.doc)
    for key, name, plan, country, status, created, *_ in ledger.tenants.values():
        payload = {"id": key, "name": name, "plan": plan, "country": country, "status": status}
        made.put("product", "tenants", key, {**payload, "created_at": _moment(created)})
    for key, tenant, email, role, *_ in ledger.users.values():
        made.put("product", "users", key, {"id": key, "tenant_id": tenant, "email": email, "role": role})
    for account in made.accounts:
        _know(made, account)
    return made


def _know(made: Founded, account: Account) -> None:
    company = account.company_id
    made.belongs("product", account.tenant_id, company)
    made.belongs("zendesk", account.organization_id, company)
    for customer in filter(None, (account.customer_id, account.second_customer)):
        made.belongs("stripe", customer, company)
    answer = {"response_id": str(account.no), "account_external_id": str(account.tenant_id), "score": "8"}
    made.put("survey", "responses", f"s:{account.no}", {**answer, "survey_id": "s"})
    made.belongs("survey", account.tenant_id, company)


def _moment(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def without_ids(made: Founded, accounts: Iterable[Account]) -> None:
    """Nobody ever wrote an id of one system into another for these: only addresses and names are left."""
    for account in accounts:
        made.record("hubspot", "companies", account.company_id)["properties"]["tenant_id"] = None
        made.record("zendesk", "organizations", account.organization_id)["external_id"] = None
        for customer in filter(None, (account.customer_id, account.second_customer)):
            made.record("stripe", "customers", customer)["metadata"] = {}
        for sub in account.subscriptions:
            made.record("stripe", "subscriptions", sub.id)["metadata"] = {}
