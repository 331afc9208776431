"""Which accounts a person has asked for: saved views and chips as data, applied to the portfolio in memory.

Pure: frames in, frames out. The page and the export use the same filter, so what is exported is what was seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from app.segments.criteria import RENEWAL_WINDOWS, SILENT_DAYS, Criteria
from app.ui import columns

VIEWS: Mapping[str, str] = {
    "mine": "My book",
    "renewals": "Renewals 90 d",
    "silent": "Silent",
    "idle": "At risk, no action",
    "all": "All",
}


@dataclass(frozen=True)
class AccountFilter:
    """A view and what narrows it; empty means any. Values are those of the columns, bands R, Y, G or an en dash."""

    view: str = "all"
    search: str = ""
    bands: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    renewals: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    is_idle: bool = False

    def criteria(self, *, owner_emails: Sequence[str]) -> Criteria:
        """The same as a segment keeps it; whose accounts "mine" are is written down."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return Criteria(**said, owner_emails=tuple(owner_emails) if self.view == "mine" else ())

    def query(self) -> str:
        """The filter as a query string, empty parts left out."""
        parts: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                parts += [(field.name, item) for item in value]
            elif value:
                parts.append((field.name, "1" if value is True else str(value)))
        return urlencode(parts)

    @classmethod
    def from_query(cls, single: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> "AccountFilter":
        """The filter of a query string; unknown names are ignored, a view that does not exist is `all`."""
        view = single.get("view", "all")
        return cls(
            view=view if view in VIEWS else "all",
            search=single.get("search", "")[:200],
            is_idle=single.get("is_idle") == "1",
            **{
                name: tuple(many.get(name, ()))[:50]
                for name in ("bands", "owners", "risks", "segments", "renewals", "plans")
            },
        )


def is_owned_by(accounts: pd.DataFrame, owner_emails: Sequence[str]) -> pd.Series:
    """Which of the accounts belong to one of these owners in the CRM."""
    return accounts["csm_email"].fillna("").str.lower().isin([email.lower() for email in owner_emails])


def knows_actions(accounts: pd.DataFrame) -> bool:
    """Whether the next action of each is known: of a past day it is not, and whoever asks for it is not heard."""
    return "next_title" in accounts


def _in_view(accounts: pd.DataFrame, view: str, owner_emails: Sequence[str]) -> Any:
    everything = pd.Series(True, index=accounts.index)
    if view == "mine":
        return is_owned_by(accounts, owner_emails)
    if view == "renewals":
        return accounts["days_to_renewal"].between(0, 90)
    if view == "silent":
        return accounts["contact_days"].isna() | (accounts["contact_days"] > SILENT_DAYS)
    if view == "idle":
        at_risk = accounts["churn_risk_band"].isin(["High", "Critical"])
        return at_risk & accounts["next_title"].isna() if knows_actions(accounts) else at_risk
    return everything


def narrowed(
    accounts: pd.DataFrame,
    chosen: AccountFilter,
    *,
    owner_emails: Sequence[str],
    within: Collection[str] | None = None,
) -> pd.DataFrame:
    """The accounts of a filter, most MRR at risk first.

    `accounts` is the portfolio with `contact_days` (days since the last contact, missing for never) and `next_title`
    (missing without an open action). The view `mine` is of the accounts of `owner_emails`.
    """
    keep = _in_view(accounts, chosen.view, owner_emails)
    if within is not None:
        keep &= accounts["account_key"].isin(list(within))
    if chosen.search.strip():
        needle = chosen.search.strip()
        named = accounts["account_name"].str.contains(needle, case=False, regex=False, na=False)
        keep &= named | accounts["domain"].str.contains(needle, case=False, regex=False, na=False)
    if chosen.bands:
        keep &= accounts["health_band"].fillna("–").isin(chosen.bands)
    for column, values in (
        ("csm_name", chosen.owners),
        ("churn_risk_band", chosen.risks),
        ("segment", chosen.segments),
        ("plan", chosen.plans),
    ):
        if values:
            keep &= accounts[column].isin(values)
    if chosen.renewals:
        in_window = pd.Series(False, index=accounts.index)
        for window in chosen.renewals:
            low, high = RENEWAL_WINDOWS.get(window, (1, 0))
            in_window |= accounts["days_to_renewal"].between(low, high)
        keep &= in_window
    if chosen.is_idle and knows_actions(accounts):
        keep &= accounts["next_title"].isna()
    return accounts.loc[keep].sort_values(["mrr_at_risk_eur"], ascending=False, na_position="last", kind="stable")


@dataclass(frozen=True)
class Summary:
    """Figures of a selection; money in EUR."""

    account_count: int
    mrr_eur: float
    mrr_at_risk_eur: float
    renewing_count: int
    idle_count: int | None
    silent_count: int
    uncovered_count: int


def summary(accounts: pd.DataFrame) -> Summary:
    """What a selection adds up to; `uncovered` are those without enough data for a band."""
    silent = accounts["contact_days"].isna() | (accounts["contact_days"] > SILENT_DAYS)
    return Summary(
        account_count=len(accounts),
        mrr_eur=columns.total(accounts, "mrr_eur"),
        mrr_at_risk_eur=columns.total(accounts, "mrr_at_risk_eur"),
        renewing_count=columns.count(accounts["days_to_renewal"].between(0, 90)),
        idle_count=columns.count(accounts["next_title"].isna()) if knows_actions(accounts) else None,
        silent_count=columns.count(silent),
        uncovered_count=columns.count(accounts["health_band"].isna()),
    )
