"""What stored codes are called on a screen, and which band or status takes which colour.

The code is the key everywhere else; a word is changed here once. Colours are names of the theme's palette, never
values.
"""

from collections.abc import Mapping

BAND_COLOURS: Mapping[str, str] = {"R": "red", "Y": "yellow", "G": "green", "–": "gray"}
BAND_NAMES: Mapping[str, str] = {"R": "Red", "Y": "Yellow", "G": "Green", "–": "Insufficient data"}
RISK_BANDS = ("Critical", "High", "Medium", "Low")

STATUSES: Mapping[str, str] = {
    "new": "New",
    "in_progress": "In progress",
    "blocked": "Blocked",
    "waiting_on_customer": "Waiting on customer",
    "snoozed": "Snoozed",
    "closed": "Closed",
    "cancelled": "Cancelled",
}
STATUS_COLOURS: Mapping[str, str] = {
    "new": "gray",
    "in_progress": "blue",
    "blocked": "red",
    "waiting_on_customer": "orange",
    "snoozed": "violet",
    "closed": "green",
    "cancelled": "gray",
}
STATUS_CHIPS: Mapping[str, str] = {**STATUSES, "waiting_on_customer": "Waiting"}
OPEN_STATUSES = ("new", "in_progress", "blocked", "waiting_on_customer", "snoozed")

ACTION_TYPES: Mapping[str, str] = {
    "risk": "Risk",
    "lifecycle": "Lifecycle",
    "renewal": "Renewal",
    "expansion": "Expansion",
    "activity": "Activity",
}
PRIORITIES: Mapping[str, str] = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
SOURCES: Mapping[str, str] = {
    "manual": "Added by hand",
    "suggestion": "From a suggestion",
    "rule": "From a rule",
    "playbook": "From a playbook",
    "assigned": "Assigned",
}
INTERVENTIONS: Mapping[str, str] = {
    "diagnostic_call": "Diagnostic call",
    "executive_reach_out": "Executive reach-out",
    "business_review": "Business review",
    "training": "Training",
    "configuration_audit": "Configuration audit",
    "integration_help": "Integration help",
    "support_escalation": "Support escalation",
    "champion_onboarding": "Champion onboarding",
    "onboarding_rescue": "Onboarding rescue",
    "value_report": "Value report",
    "commercial_offer": "Commercial offer",
    "billing_fix": "Billing fix",
    "reengagement_email": "Re-engagement e-mail",
    "roadmap_talk": "Roadmap talk",
    "no_contact": "No contact",
}
REASONS: Mapping[str, str] = {
    "health_drop": "Health drop",
    "usage_decline": "Usage decline",
    "no_activity": "No activity",
    "champion_left": "Champion left",
    "support_pressure": "Support pressure",
    "detractor": "Detractor",
    "payment": "Payment",
    "low_seat_use": "Low seat use",
    "onboarding_stalled": "Onboarding stalled",
    "renewal_checkpoint": "Renewal checkpoint",
    "silent_account": "Silent account",
    "growth": "Growth",
    "risk_high": "High churn risk",
    "opinions_differ": "Opinions differ",
}
# the reasons of the rules, in the order of their numbers
RULES: Mapping[str, str] = {f"R{number}": name for number, name in enumerate(REASONS.values(), start=1)}
DISMISSALS: Mapping[str, str] = {
    "already_handled": "Already handled",
    "wrong_data": "The data is wrong",
    "not_a_real_risk": "Not a real risk",
    "known_and_accepted": "Known and accepted",
    "bad_timing": "Bad timing",
    "no_contact_asked": "They asked for no contact",
    "wrong_owner": "Not my account",
    "better_action_chosen": "Better action chosen",
    "duplicate": "Duplicate",
}
CANCELLATIONS: Mapping[str, str] = {
    "duplicate": "Duplicate",
    "no_longer_relevant": "No longer relevant",
    "auto_resolved": "Cleared by itself",
    "account_churned": "Account has churned",
    "rule_withdrawn": "Rule withdrawn",
}
EXECUTIONS: Mapping[str, str] = {
    "done_as_planned": "As planned",
    "done_differently": "Differently",
    "attempted_without_reach": "No reach",
    "not_done": "Not done",
}
RESPONSES: Mapping[str, str] = {"positive": "Positive", "neutral": "Neutral", "negative": "Negative", "none": "None"}
RESULTS: Mapping[str, str] = {
    "successful": "Successful",
    "unsuccessful": "Unsuccessful",
    "false_alarm": "False alarm",
    "too_early": "Too early",
}
CHANNELS: Mapping[str, str] = {
    "call": "Call",
    "meeting": "Meeting",
    "email": "E-mail",
    "in_product": "In the product",
    "on_site": "On site",
    "other": "Other",
}
ESCALATIONS: Mapping[int, str] = {
    1: "late: named in the digest",
    2: "escalated: owner and admins were told",
    3: "escalated: an admin has to decide",
}
STAKEHOLDER_ROLES: Mapping[str, str] = {
    "champion": "Champion",
    "decision_maker": "Decision maker",
    "budget_holder": "Budget holder",
    "end_user": "End user",
    "unknown": "Role unknown",
}
DEPARTURES: Mapping[str, str] = {
    "job_change": "new job",
    "removed": "removed in the CRM",
    "bounced": "mail bounces",
}
MEASURES: Mapping[str, str] = {
    "seat_use": "Seat use",
    "key_activity": "Key activity",
    "recency": "Recency",
    "live_automations": "Automations",
    "campaigns": "Campaigns",
    "feature_breadth": "Features used",
    "ticket_volume": "Tickets",
    "urgent_unresolved": "Urgent tickets",
    "first_reply": "First reply",
    "last_contact": "Last contact",
    "known_roles": "Known roles",
    "champion": "Champion",
    "nps": "NPS",
    "overdue_invoice": "Overdue",
    "failed_payment": "Failed payment",
    "configuration": "Configuration",
    "late_data": "Late data",
    "override": "Override",
}
DIMENSIONS: Mapping[str, str] = {
    "product_usage": "Product usage",
    "adoption_depth": "Adoption depth",
    "support": "Support",
    "relationship": "Relationship",
    "voice_of_customer": "Voice of customer",
    "commercial": "Commercial",
}
EVENT_KINDS: Mapping[str, str] = {
    "action": "Action",
    "action_note": "Note",
    "suggestion": "Suggestion",
    "rating": "Rating",
    "call": "Call",
    "meeting": "Meeting",
    "note": "CRM note",
    "ticket_opened": "Ticket opened",
    "ticket_solved": "Ticket solved",
    "invoice_issued": "Invoice",
    "invoice_paid": "Invoice paid",
    "payment_failed": "Payment failed",
    "nps_response": "NPS",
    "band_change": "Band change",
    "champion_left": "Champion left",
    "mrr_change": "MRR change",
    "usage_step": "Usage step",
}
EVENT_ICONS: Mapping[str, str] = {
    "band_change": ":material/trending_down:",
    "champion_left": ":material/person_off:",
    "payment_failed": ":material/credit_card_off:",
    "nps_response": ":material/sentiment_satisfied:",
    "mrr_change": ":material/payments:",
    "usage_step": ":material/show_chart:",
    "call": ":material/call:",
    "meeting": ":material/groups:",
    "note": ":material/sticky_note_2:",
    "ticket_opened": ":material/confirmation_number:",
    "ticket_solved": ":material/task_alt:",
    "invoice_issued": ":material/receipt_long:",
    "invoice_paid": ":material/paid:",
    "action": ":material/flag:",
    "action_note": ":material/edit_note:",
    "suggestion": ":material/lightbulb:",
}
NOTICES: Mapping[str, str] = {
    "assigned": ":material/person_add:",
    "taken_away": ":material/person_remove:",
    "note_added": ":material/edit_note:",
    "came_back": ":material/alarm:",
    "escalated": ":material/running_with_errors:",
    "decision_needed": ":material/gavel:",
    "handover": ":material/swap_horiz:",
    "delivery_failed": ":material/mail_off:",
    "data_issue_resolved": ":material/fact_check:",
}
TIMELINE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Actions": ("action", "action_note", "suggestion"),
    "Contacts": ("call", "meeting", "note", "champion_left", "rating"),
    "Support": ("ticket_opened", "ticket_solved", "nps_response"),
    "Money": ("invoice_issued", "invoice_paid", "payment_failed", "mrr_change"),
    "Health and usage": ("band_change", "usage_step"),
}
LIFECYCLE: Mapping[str, str] = {
    "onboarding": "Onboarding",
    "adoption": "Adoption",
    "renewal_window": "Renewal window",
    "default": "Running",
    "churned": "Churned",
}
SOURCE_SYSTEMS: Mapping[str, str] = {
    "hubspot": "HubSpot (CRM)",
    "stripe": "Stripe (billing)",
    "zendesk": "Zendesk (support)",
    "product": "Product database",
    "survey": "NPS surveys",
    "surveys": "NPS surveys",
}


LINK_RULES: Mapping[str, str] = {
    "manual": "decided by a person",
    "crm_company": "CRM company",
    "crm_merge": "merged in the CRM",
    "crm_tenant_id": "tenant id in the CRM",
    "external_id": "external id",
    "metadata_tenant_id": "tenant id in billing",
    "metadata_hubspot_company_id": "CRM company in billing",
    "billing_metadata": "tenant id in billing",
    "email_domain": "e-mail domain",
    "domain": "domain",
    "name": "the name alone",
    "conflict": "several accounts are named",
    "no_candidate": "nothing names an account",
}
IDENTITY_ISSUES: Mapping[str, str] = {"conflict": "Torn", "orphan": "Nobody's", "name_only": "By name only"}
MRR_MOVEMENTS: Mapping[str, str] = {
    "new": "New",
    "expansion": "Expansion",
    "contraction": "Contraction",
    "churned": "Churned",
    "reactivation": "Came back",
}
FORECAST_STATES: Mapping[str, str] = {
    "notice_given": "Notice given",
    "overdue": "Overdue",
    "deal_open": "Renewal deal open",
    "in_window": "In the renewal window",
    "auto_renew": "Renews by itself",
}
FORECAST_COLOURS: Mapping[str, str] = {
    "notice_given": "red",
    "overdue": "red",
    "deal_open": "blue",
    "in_window": "orange",
    "auto_renew": "gray",
}
LOAD_STATES: Mapping[str, str] = {
    "succeeded": "Succeeded",
    "warned": "Warned",
    "failed": "Failed",
    "running": "Running",
}


def word(words: Mapping[str, str], code: str | None) -> str:
    """The word for a code; an unknown code is spelled out rather than hidden, a missing one is an en dash."""
    if not code:
        return "–"
    return words.get(code, code.replace("_", " ").capitalize())


def reason_shown(reason: str | None) -> str:
    """A reason as people read it: a rule's code becomes its word, what somebody typed stays."""
    return REASONS.get(reason or "", reason or "")


def reason_stored(shown: str) -> str | None:
    """The way back of `reason_shown`: an unchanged word is stored as its code, blank as nothing."""
    text = shown.strip()
    return next((code for code, name in REASONS.items() if name == text), text) or None


def band_letter(band: str | None) -> str:
    """R, Y, G, or an en dash for insufficient data."""
    return band if band in ("R", "Y", "G") else "–"


def band_badge(band: str | None, score: float | None = None) -> str:
    """Markdown of a band badge, its letter first: colour is never the only sign."""
    letter = band_letter(band)
    figure = "" if score is None or letter == "–" else f" {score:.0f}"
    return f":{BAND_COLOURS[letter]}-badge[**{letter}**{figure}]"


def status_badge(status: str) -> str:
    """Markdown of a status badge."""
    return f":{STATUS_COLOURS.get(status, 'gray')}-badge[{word(STATUSES, status)}]"
