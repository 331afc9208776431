"""Portfolio: accounts, recurring revenue and what of it is at risk, by health band, counted by CSM, plan or segment."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.reports import reading
from app.reports.model import Report, now
from app.reports.reach import Reach
from app.reports.wanted import Wanted

_GROUPS = {"csm": "csm_name", "plan": "plan", "segment": "segment"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Active accounts of one group; amounts are EUR a month. `no_band` are those without enough data for a band."""

    group: str | None
    account_count: int
    mrr_eur: float
    mrr_at_risk_eur: float
    red_count: int
    yellow_count: int
    green_count: int
    no_band_count: int
    red_mrr_eur: float


_ROWS = f"""
with {reading.ACCOUNTS}

select
    {{group}} as "group",
    count(*) as account_count,
    cast(coalesce(sum(mrr_eur), 0) as double precision) as mrr_eur,
    cast(coalesce(sum(mrr_at_risk_eur), 0) as double precision) as mrr_at_risk_eur,
    count(*) filter (where health_band = 'R') as red_count,
    count(*) filter (where health_band = 'Y') as yellow_count,
    count(*) filter (where health_band = 'G') as green_count,
    count(*) filter (where health_band is null) as no_band_count,
    cast(coalesce(sum(mrr_eur) filter (where health_band = 'R'), 0) as double precision) as red_mrr_eur
from accounts
where is_active
group by {{group}}
order by mrr_eur desc, 1
"""  # noqa: S608 -- our own text


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """One row per group with an account, most revenue first; as of the build, whatever the period."""
    statement = _ROWS.format(group=_GROUPS.get(wanted.by, _GROUPS["csm"]))
    return reading.rows(db, statement, Row, reading.parameters(wanted, reach), mart="dim_accounts")


REPORT = Report(
    title="Portfolio",
    question="whose accounts are these, what do they pay, and how much of it is at risk",
    formula="""
- Active accounts of the build. **MRR at risk** of an account is its probability of churn within 90 days times
  its MRR; here they are added up.
- Bands are those of the health score on the last day: red to 50, yellow to 75, green above; none where less
  than 60% of its weight had data.
""",
    sources=("marts.dim_accounts",),
    row_type=Row,
    read=read,
    members=now,
    groups={"csm": "CSM", "plan": "Plan", "segment": "Segment"},
)
