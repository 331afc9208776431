"""The six playbooks that ship, as version 1.

They are a start: an admin edits them as new versions, and a run keeps the version it was started with.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _step(
    title: str,
    intervention: str,
    priority: str,
    offset_bd: int,
    guidance: str,
    *,
    owner: str = "account_owner",
) -> dict[str, Any]:
    return {
        "title": title,
        "intervention": intervention,
        "priority": priority,
        "offset_bd": offset_bd,
        "owner": owner,
        "guidance": guidance,
    }


ONBOARDING = (
    _step(
        "Kick-off call: goals, people and the date of the first campaign",
        "diagnostic_call",
        "high",
        2,
        "Agree in writing what success looks like in 90 days, in their figures. Name a champion, a technical "
        "contact and who signs. Fix the date of the first live campaign and work back from it.",
    ),
    _step(
        "Connect their CRM, website tracking and sending domain",
        "integration_help",
        "high",
        5,
        "Contact sync both ways, tracking on every page, SPF and DKIM passing. Send a test to three mailboxes. "
        "What blocks here for two days goes to support as a ticket, not to next week.",
    ),
    _step(
        "Train the people who will build campaigns",
        "training",
        "medium",
        10,
        "One session on their own data, recorded. Every paid seat has signed in by the end of it; write down who "
        "did not and why.",
    ),
    _step(
        "First campaign live: check it and read the figures together",
        "value_report",
        "high",
        15,
        "Be on the call when it is sent. Look at delivery, opens and clicks the day after, and agree one thing to "
        "change. If it is late against the plan, say so to the champion and set the new date.",
    ),
    _step(
        "First automation live",
        "configuration_audit",
        "medium",
        25,
        "One that saves them work each week, usually a welcome or a follow-up of web visits. Check triggers, exits "
        "and who is told of a hand raised.",
    ),
    _step(
        "Review after 30 days: is the first goal in reach?",
        "business_review",
        "medium",
        30,
        "Seats used against paid, campaigns and automations live, open questions. Ask how it is going before "
        "showing figures. Note the next goal and its date.",
    ),
    _step(
        "Close onboarding: value so far, and how we work from here",
        "value_report",
        "medium",
        60,
        "One page: the goals of the kick-off with their figures now. Agree the rhythm of calls and who comes to "
        "the quarterly review. From here the account is in adoption.",
    ),
)
ADOPTION = (
    _step(
        "Find out what they use, what they pay for and what they meant to do",
        "configuration_audit",
        "medium",
        3,
        "Seats used against paid, families of features used, automations live and paused, the campaign rhythm "
        "against their own last quarter. Write the two largest gaps down in words they would use.",
    ),
    _step(
        "Call the champion: which gap is worth closing first?",
        "diagnostic_call",
        "medium",
        5,
        "Ask what they tried and where they stopped. Choose one gap with them and a figure that will show it "
        "closed. If they see no use in it, say thank you and stop this playbook.",
    ),
    _step(
        "Train the team on that one thing",
        "training",
        "medium",
        10,
        "On their own data, an hour at most, with the people who will do it. They build it in the session; we only "
        "watch.",
    ),
    _step(
        "Put it live with them",
        "integration_help",
        "medium",
        15,
        "Stay until the first real run. Note what was confusing and tell the product team.",
    ),
    _step(
        "Invite the seats that are not used",
        "reengagement_email",
        "low",
        20,
        "The champion sends it; we write it. Name what is in it for the reader's own work, and one thing to do first.",
    ),
    _step(
        "Look at the figure again and show what changed",
        "value_report",
        "medium",
        35,
        "The figure agreed at the start, before and now. If it did not move, say so and find out why before "
        "offering anything else.",
    ),
)
RISK = (
    _step(
        "Check the facts before anybody calls",
        "no_contact",
        "critical",
        0,
        "Which measures fell and since when, open urgent tickets, invoices, who left. Rule out late data on the "
        "Proof tab. Write the likeliest cause in one sentence.",
    ),
    _step(
        "Call the champion: what has changed?",
        "diagnostic_call",
        "critical",
        1,
        "Open questions first, our guess last. Who decides at renewal, and what do they hear about us? If the "
        "champion cannot be reached in two days, try the decision maker.",
    ),
    _step(
        "Get what is broken repaired, and stay on it",
        "support_escalation",
        "high",
        2,
        "Urgent tickets get a named engineer and a date. Tell the customer both. With nothing open in support, "
        "cancel this step and say so.",
    ),
    _step(
        "Our sponsor calls theirs",
        "executive_reach_out",
        "high",
        4,
        "Brief our side in five lines: value so far, what went wrong, what we are doing, what we ask for. Twenty "
        "minutes, no slides.",
        owner="starter",
    ),
    _step(
        "Agree a recovery plan of three things with dates",
        "business_review",
        "high",
        7,
        "Theirs and ours, each with a name and a day. Write down by which figure both sides will know that it worked.",
    ),
    _step(
        "Halfway: are the three things done?",
        "diagnostic_call",
        "medium",
        15,
        "Ten minutes with the champion. What slipped gets a new day in front of them. If nothing moved, the "
        "sponsor hears it today and not at the end.",
    ),
    _step(
        "Is the account out of risk?",
        "value_report",
        "high",
        30,
        "The figure agreed in the plan, before and now, and what the champion says. Close with the honest result: "
        "an account that left anyway teaches as much.",
    ),
)
RENEWAL = (
    _step(
        "Assess the renewal: value, people, risk, paper",
        "no_contact",
        "medium",
        3,
        "Goals reached in figures, champion and signer known, open tickets and invoices, notice date and price "
        "clause of the contract. Say which of renew, grow, shrink or leave is likeliest.",
    ),
    _step(
        "Value report of the term",
        "value_report",
        "medium",
        8,
        "What they set out to do, what came of it, in their figures and on one page. Let the champion correct it "
        "before anybody else sees it.",
    ),
    _step(
        "Business review with the person who signs",
        "business_review",
        "high",
        15,
        "Their plan for next year first. Ask for the intention to renew in so many words, and for what could stop it.",
    ),
    _step(
        "Settle what stands in the way",
        "diagnostic_call",
        "high",
        25,
        "Each objection of the review with an owner and a day. Urgent tickets and overdue invoices are cleared "
        "before an offer goes out.",
    ),
    _step(
        "Send the offer",
        "commercial_offer",
        "high",
        30,
        "Seats by use and not by habit; a smaller renewal beats a lost one. Say until when it holds and who signs.",
    ),
    _step(
        "Follow up until it is signed or declined",
        "executive_reach_out",
        "high",
        40,
        "No answer in ten days: our sponsor asks theirs. Declined: find out why in a call and note the competitor.",
        owner="starter",
    ),
    _step(
        "Renewed: book the first review of the new term",
        "business_review",
        "low",
        50,
        "Put the goals of the new term in a note while they are fresh. If they left, say thank you and ask whether "
        "we may call in half a year.",
    ),
)
DETRACTOR = (
    _step(
        "Answer the person within two days",
        "diagnostic_call",
        "high",
        1,
        "Thank them and listen; no defence, no offer. Read their words back and ask what would have made it a "
        "better score. Note them literally.",
    ),
    _step(
        "Bring the cause to who can change it",
        "support_escalation",
        "high",
        3,
        "Product, support or ourselves, with the customer's words and a day for an answer. One cause, one owner.",
    ),
    _step(
        "Tell them what we did about it",
        "reengagement_email",
        "high",
        8,
        "What changed, what will and when, and what will not and why. A plain no is better than silence.",
    ),
    _step(
        "Tell the champion and the decision maker",
        "executive_reach_out",
        "medium",
        10,
        "If the person agrees. They hear it from us before they hear it in a corridor.",
    ),
    _step(
        "Ask again: is it better?",
        "diagnostic_call",
        "medium",
        30,
        "A short call, not a survey. Close the loop with their answer in a note.",
    ),
)
HANDOVER = (
    _step(
        "Write the account down for the colleague who takes over",
        "no_contact",
        "high",
        1,
        "Goals, people and how they like to be spoken to, promises with their dates, open tickets, renewal, what "
        "worries you. One page in a note; half an hour of talking beside it.",
        owner="starter",
    ),
    _step(
        "Introduce the new contact to the champion",
        "champion_onboarding",
        "high",
        3,
        "A short mail from the one who leaves, the new contact in copy: why, from when, and that the promises "
        "stand. Offer a call of three.",
        owner="starter",
    ),
    _step(
        "First call of the new contact",
        "diagnostic_call",
        "high",
        7,
        "Listen: what works, what does not, what they would like to hear in a year. Confirm the open promises one "
        "by one.",
    ),
    _step(
        "Meet the decision maker and the budget holder",
        "executive_reach_out",
        "medium",
        12,
        "Twenty minutes each. They should know a name to call before they need one.",
    ),
    _step(
        "Keep the first promise that falls due",
        "value_report",
        "medium",
        15,
        "Trust moves with it. If it cannot be kept, say so before the day.",
    ),
    _step(
        "After six weeks: has the relationship moved over?",
        "business_review",
        "low",
        30,
        "Do they call the new contact first? Rate the account afresh and note what was not in the handover page.",
    ),
)


def _playbook(
    playbook_id: str, name: str, action_type: str, description: str, steps: tuple[dict[str, Any], ...]
) -> dict[str, Any]:
    numbered = [{"number": number, **step} for number, step in enumerate(steps, start=1)]
    return {
        "playbook_id": playbook_id,
        "name": name,
        "action_type": action_type,
        "description": description,
        "steps": json.dumps(numbered),
    }


SHIPPED = (
    _playbook(
        "onboarding",
        "Onboarding",
        "lifecycle",
        "From the signature to the first results: people, connections, first campaign, first automation, and a "
        "review that says whether the first goal is in reach. About 60 business days.",
        ONBOARDING,
    ),
    _playbook(
        "adoption",
        "Adoption",
        "lifecycle",
        "An account that uses less than it pays for: choose one gap with the champion, close it together, show "
        "what changed. About 35 business days.",
        ADOPTION,
    ),
    _playbook(
        "risk",
        "Risk",
        "risk",
        "An account that may leave: the facts first, then the champion, repair, the sponsor, and a recovery plan "
        "of three things with dates. About 30 business days.",
        RISK,
    ),
    _playbook(
        "renewal",
        "Renewal",
        "renewal",
        "Start it 90 days before the renewal: assessment, value report, review with the person who signs, offer, "
        "signature. About 50 business days.",
        RENEWAL,
    ),
    _playbook(
        "detractor_closed_loop",
        "Detractor closed loop",
        "risk",
        "Somebody gave 0 to 6: answer the person, bring the cause to who can change it, tell them what came of it, "
        "ask again. About 30 business days.",
        DETRACTOR,
    ),
    _playbook(
        "handover",
        "Handover",
        "lifecycle",
        "The account gets another contact on our side: write it down, introduce, listen, keep the first promise. "
        "Started by the one who leaves. About 30 business days.",
        HANDOVER,
    ),
)


def upgrade() -> None:
    insert = sa.text(
        """
        insert into app.playbooks (
            playbook_id, version, name, description, action_type, steps, is_active, created_by, created_at
        )
        values (:playbook_id, 1, :name, :description, :action_type, cast(:steps as jsonb), true, null, now())
        on conflict do nothing
        """
    )
    for playbook in SHIPPED:
        op.execute(insert.bindparams(**playbook))


def downgrade() -> None:
    # a run keeps its version: what was started stays, and upgrading again leaves it as it is
    op.execute(
        """
        delete from app.playbooks as p
        where
            p.created_by is null
            and not exists (
                select from app.playbook_runs as r
                where r.playbook_id = p.playbook_id and r.playbook_version = p.version
            )
        """
    )
