"""/sql: what analysts ask of the marts in their own words, and the queries they keep.

A statement whose reader has gone is ended: the connection of the request is watched while it runs.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.deps import Db, IdempotencyKey, Now, SqlRunner
from api.models.sql import (
    AnswerTable,
    Asked,
    EntryList,
    NewQuery,
    NextVersion,
    Plan,
    QueryList,
    QueryRemoval,
    QueryWithVersions,
    RelationList,
)
from app.sandbox import ledger, queries, reach, service
from app.sandbox.queries import SavedQuery
from app.sandbox.watchdog import Reader

router = APIRouter(prefix="/sql", tags=["sql"])
Given = TypeVar("Given")
LOOKS_SECONDS = 0.2  # between two looks whether anybody still waits


async def while_asked(request: Request, db: Connection, work: Callable[[Reader], Given]) -> Given:
    """What `work` gives, ended early when the client hangs up. The request's own connection goes back first, so that
    slow statements keep nobody else from the database."""
    reader = Reader()

    def alone() -> Given:
        db.commit()
        db.close()
        return work(reader)

    working = asyncio.ensure_future(run_in_threadpool(alone))
    while not working.done():
        await asyncio.wait({working}, timeout=LOOKS_SECONDS)
        if not working.done() and await request.is_disconnected():
            reader.leave()
    return working.result()


@router.post("/run")
async def run_statement(body: Asked, identity: SqlRunner, request: Request, db: Db) -> AnswerTable:
    """Run one SELECT on the marts: at most 1,000 rows, 5 seconds, two at once. 429 while two of yours are running."""
    answer = await while_asked(
        request, db, lambda reader: service.run(identity, body.text, body.parameters, reader=reader)
    )
    return AnswerTable.of(answer)


@router.post("/plan")
async def explain_statement(body: Asked, identity: SqlRunner, request: Request, db: Db) -> Plan:
    """How a SELECT would be run, without running it."""
    plan = await while_asked(
        request, db, lambda reader: service.plan(identity, body.text, body.parameters, reader=reader)
    )
    return Plan(plan=plan)


@router.get("/tables")
def list_tables(identity: SqlRunner, db: Db) -> RelationList:
    """The tables that can be read, with grain, columns and what they mean."""
    return RelationList(items=list(reach.relations(db)))


@router.get("/history")
def list_statements(identity: SqlRunner, db: Db) -> EntryList:
    """The person's own statements of late, with what became of them."""
    return EntryList(items=ledger.history(db, identity=identity))


@router.get("/queries")
def list_queries(identity: SqlRunner, db: Db) -> QueryList:
    """Own queries and those that colleagues share."""
    return QueryList(items=queries.list_queries(db, identity=identity))


@router.get("/queries/{query_id}")
def get_query(query_id: UUID, identity: SqlRunner, db: Db) -> QueryWithVersions:
    """One query with every text it had. 404 also for somebody else's private one."""
    query = queries.get_query(db, identity=identity, query_id=query_id)
    return QueryWithVersions(query=query, versions=queries.versions(db, identity=identity, query_id=query_id))


@router.post("/queries", status_code=201)
def save_query(body: NewQuery, identity: SqlRunner, db: Db, now: Now, key: IdempotencyKey) -> SavedQuery:
    """Keep a text under a name. A shared one opens for other analysts, and runs with their rights."""
    return queries.save(db, actor=identity, now=now, idempotency_key=key, **body.model_dump())


@router.post("/queries/{query_id}/versions", status_code=201)
def save_query_version(
    query_id: UUID, body: NextVersion, identity: SqlRunner, db: Db, now: Now, key: IdempotencyKey
) -> SavedQuery:
    """The next version of an own query; the ones before stay."""
    given = body.model_dump(exclude={"version"})
    return queries.save(
        db, actor=identity, now=now, query_id=query_id, expected_version=body.version, idempotency_key=key, **given
    )


@router.post("/queries/{query_id}/remove", status_code=204)
def remove_query(
    query_id: UUID, body: QueryRemoval, identity: SqlRunner, db: Db, now: Now, key: IdempotencyKey
) -> None:
    """Take an own query out of every list."""
    queries.remove(db, actor=identity, now=now, query_id=query_id, expected_version=body.version, idempotency_key=key)
