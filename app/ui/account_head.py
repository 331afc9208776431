"""Head of an account: eight figures in one strip, each with what it rests on beneath it."""

from dataclasses import dataclass
from datetime import date

import streamlit as st

from app.actions.lifecycle import Status
from app.actions.model import ActionRow
from app.marts.accounts import Account
from app.marts.money import Renewal
from app.ratings import Rating
from app.suggestions.pulses import Pulse
from app.ui import account_data, account_rating, figures, proof_link, pulse_ask, visit, words
from app.ui.text import escaped


@dataclass(frozen=True)
class Subject:
    """What all panels of the page are about: the account, and the day its histories end on."""

    account: Account
    as_of: date
    is_past: bool
    facts: account_data.AccountFacts
    renewal: Renewal | None
    actions: list[ActionRow]
    ratings: list[Rating]
    pulses: list[Pulse]


def note(account: Account) -> str:
    """Plan, segment, since when, where: the small print beside the name."""
    parts = [escaped(account.plan), escaped(account.segment)]
    if account.customer_since_date:
        parts.append(f"customer since {figures.month(account.customer_since_date)}")
    if account.city:
        parts.append(escaped(account.city))
    if not account.is_active:
        parts.append(f"churned {figures.full_day(account.churned_date)}")
    return " · ".join(parts)


def _cell(
    title: str,
    value: str,
    under: str,
    *,
    metric: str | None = None,
    proof: tuple[str, str, tuple[str, ...]] | None = None,
) -> None:
    """One figure; `proof` names its mart, column and key, and makes its title the way there; `metric` defines it."""
    with st.container(width="content", gap=None, key=f"head_{title.partition(',')[0]}"):
        if proof is None:
            st.markdown(f":small[:gray[{title}]]", width="content")
        else:
            mart, column, key = proof
            proof_link.link(mart, key, column, label=f":small[:gray[{title}]]", metric=metric)
        st.markdown(f"{value}  \n:small[:gray[{under}]]", width="content")


def _health(subject: Subject) -> tuple[str, str]:
    rows = subject.facts.health
    if not len(rows):
        return words.band_badge(None), "no history yet"
    last = rows.iloc[-1]
    band, score, coverage = last["band"], last["score"], last["coverage_ratio"]
    if words.band_letter(band) == "–":
        return words.band_badge(None, None), f"insufficient data, coverage {figures.percent(coverage)}"
    return words.band_badge(band, score), f"coverage {figures.percent(coverage)}"


def _risk(subject: Subject) -> tuple[str, str]:
    risk, before = subject.facts.risk, subject.facts.risk_before
    if risk is None or risk.churn_probability_90d is None:
        return "**–**", "no estimate"
    under = (
        f"was {before.churn_probability_90d:.2f} on {figures.day(before.risk_date)}"
        if before is not None and before.churn_probability_90d is not None
        else "no earlier estimate"
    )
    return f"**{risk.churn_risk_band}** {risk.churn_probability_90d:.2f}", under


def _renewal(account: Account, renewal: Renewal | None) -> tuple[str, str]:
    """Days to it; where notice was given for all of it there is nothing to renew, and the head says so."""
    ending = renewal.ending_subscription_count if renewal else 0
    if renewal and ending and ending == renewal.subscription_count:
        return ":red[**Notice given**]", f"ends {figures.full_day(renewal.planned_end_date)}"
    days = account.days_to_renewal
    if days is None:
        return "**–**", "no renewal date"
    interval = {"month": "monthly", "year": "annual"}.get(
        account.billing_interval or "", account.billing_interval or ""
    )
    under = ", ".join(part for part in (figures.full_day(account.renewal_date), interval) if part)
    if renewal and ending:
        under = f":red[a part ends {figures.full_day(renewal.planned_end_date)}]"
    if days < 0:
        return f":red[**{figures.count(-days, 'day')} ago**]", under
    return (f"**{figures.count(days, 'day')}**" if days else "**today**"), under


def _sentiment(subject: Subject, today: date) -> tuple[str, str]:
    value, under = account_rating.cell(subject.ratings, today)
    pulse = pulse_ask.said(subject.pulses, today)
    return value, f"{under}; {pulse}" if pulse and subject.ratings else pulse or under


def _next(subject: Subject) -> tuple[str, str]:
    today = visit.current().today
    if not subject.actions:
        return "**None**", "add one"
    action = subject.actions[0]
    name = f"**{escaped(action.title, limit=28)}**"
    if action.status is Status.SNOOZED:
        return name, f"back {figures.day(action.snoozed_until, today=today)}"
    late = (today - action.due_date).days if action.due_date else 0
    under = (
        f":red[overdue {figures.count(late, 'day')}]"
        if late > 0
        else f"due {figures.day(action.due_date, today=today)}"
        if action.due_date
        else "no due date"
    )
    return name, under


def strip(subject: Subject) -> None:
    """Draw the strip; with a past day chosen, health and risk are those of that day and say so."""
    account, today = subject.account, visit.current().today
    then = f", {figures.day(subject.as_of)}" if subject.is_past else ""
    own_currency = (account.currency_code or "EUR").upper()
    mrr = figures.money(account.mrr, own_currency)
    in_euro = "" if own_currency == "EUR" else f"{figures.money(account.mrr_eur)}, "
    risk = subject.facts.risk
    at_risk = risk.mrr_at_risk_eur if risk is not None else account.mrr_at_risk_eur
    probability = risk.churn_probability_90d if risk is not None else None
    with st.container(border=True, horizontal=True, horizontal_alignment="distribute", gap="small", key="account_head"):
        day = (account.account_key, subject.as_of.isoformat())
        now = (account.account_key,)
        _cell(
            "Health" + then, *_health(subject), metric="health_score", proof=("fct_account_health_daily", "score", day)
        )
        _cell(
            "Churn risk, 90 d" + then,
            *_risk(subject),
            metric="churn_probability",
            proof=("fct_churn_risk_daily", "churn_probability_90d", day),
        )
        seats = f"{account.seats_paid or 0} seats, {account.seats_used_28d or 0} used"
        _cell("MRR", f"**{mrr}**", in_euro + seats, metric="mrr_own", proof=("dim_accounts", "mrr", now))
        _cell(
            "MRR at risk",
            f"**{figures.money(at_risk)}**",
            f"{probability:.2f} x MRR" if probability is not None else "–",
            metric="mrr_at_risk",
            proof=("fct_churn_risk_daily", "mrr_at_risk_eur", day),
        )
        _cell(
            "Renewal",
            *_renewal(account, subject.renewal),
            metric="days_to_renewal",
            proof=("dim_accounts", "renewal_date", now),
        )
        stage = words.word(words.LIFECYCLE, account.lifecycle_stage).lower()
        _cell("Owner", f"**{escaped(account.csm_name)}**", f"stage: {stage}" if account.lifecycle_stage else "–")
        contact = figures.ago(account.last_contact_date, today)
        nps = (
            f"NPS {account.nps_score}, {figures.ago(account.nps_date, today)}"
            if account.nps_score is not None
            else "no NPS answer"
        )
        _cell(
            "Last contact",
            f"**{contact}**",
            nps,
            metric="days_since_contact",
            proof=("dim_accounts", "last_contact_date", now),
        )
        _cell("Sentiment", *_sentiment(subject, today))
        _cell("Next action", *_next(subject))
