"""/workload: who has how much to do. For those who assign work."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Assigner, Db, Now
from app.actions import service
from app.actions.model import Workload

router = APIRouter(tags=["workload"])


class WorkloadList(BaseModel):
    """One entry per active person who works actions."""

    items: list[Workload]


@router.get("/workload")
def workload(identity: Assigner, db: Db, now: Now) -> WorkloadList:
    """Open, overdue and finished work of everybody, with their weekly capacity."""
    return WorkloadList(items=service.workload(db, now=now))
