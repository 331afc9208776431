# ruff: noqa: E501 - sentences stay on one line
"""What people write: call notes, ticket subjects, survey comments. The topic follows the account's latent state.

Topics: depth (V low), breadth (B low), people (R low), friction (F high), price (P high), well (nothing presses).
"""

import random

MEETING_TITLES = {
    "depth": ["Adoption review", "Usage catch-up", "Campaign planning session"],
    "breadth": ["Automation walkthrough", "Feature workshop: forms and landing pages", "Lead scoring introduction"],
    "people": ["Introduction to new stakeholders", "Relationship check-in", "Executive alignment"],
    "friction": ["Support escalation review", "Deliverability review", "Integration troubleshooting"],
    "price": ["Commercial review", "Renewal terms discussion", "Value and pricing review"],
    "well": ["Monthly check-in", "Quarterly business review", "Roadmap preview", "Success plan review"],
}

NOTES = {
    "depth": [
        "{first} says the team has sent fewer campaigns since {colleague} moved to another project. Half of the seats are not used.",
        "Usage keeps slipping. {first} admits that segments are still built in spreadsheets.",
        "Talked through the usage report with {first}. The newsletter went from weekly to monthly, nobody owns campaigns at the moment.",
        "{first} has little time for the platform this quarter; logins are down and two starters never got a login.",
        "Adoption is the topic again: {colleague} does everything, the others look at results once a month.",
        "{first} sent three campaigns in the quarter. The plan was twelve. Content is the bottleneck, they say.",
        "They went back to the old mail tool for one brand. {first} finds it quicker, {colleague} disagrees.",
    ],
    "breadth": [
        "They only use campaigns and contacts. {first} is curious about automation but nobody has built one.",
        "{first} asked how other {industry} customers use forms and landing pages. No automation live apart from the welcome mail.",
        "Reviewed feature use: reporting and lead scoring untouched since go-live.",
        "{first} pays for a second form tool because nobody knew ours. Showed it in five minutes.",
        "Journey for lapsed customers is drafted on paper only. {first} needs a hand with conditions and delays.",
        "CRM integration is still on the list: {first} waits for their IT, {colleague} exports by hand.",
    ],
    "people": [
        "{first} is now in a new role and will hand over. We do not know who takes the platform.",
        "Hard to reach {first}: two meetings moved. No contact with the budget holder since spring.",
        "{first} could not say who signs the renewal. Relationship is thin, one contact only.",
        "New head of marketing at {company}, not met yet. {first} expects a review of all suppliers.",
        "{colleague} does not come to our calls any more. {first} says priorities have changed.",
        "Spoke with {first} for ten minutes between two meetings. Friendly, but no time and no plan.",
    ],
    "friction": [
        "{first} is frustrated about the slow import and the open tickets and wants a date for the fix.",
        "Deliverability problem again: bounce rate on the last campaign was high. {first} calls it 'the third time this month'.",
        "CRM sync failed over the weekend and nobody told them. {first} asked for an incident report.",
        "Long list of support topics from {first}, two of them older than a month.",
        "{colleague} lost an hour of edits in the template editor. {first} was polite about it, just.",
        "Export times out above 50,000 contacts. {first} splits lists by hand and is tired of it.",
        "The duplicate send in the spring is still remembered. {first} double-checks everything now.",
    ],
    "price": [
        "{first} asked for a discount before the renewal. Their finance team compares us with a cheaper tool.",
        "Price increase did not land well. {first}: 'we need to show what we get for it'.",
        "Budget freeze at {company}. {first} wants to drop seats at the next opportunity.",
        "{first} mentioned an offer from a competitor, a third below ours, without naming it.",
        "Finance wants quarterly instead of yearly invoices. {first} is on our side but needs arguments.",
        "{first} counted: nine of the seats belong to people who read one report a month.",
    ],
    "well": [
        "Good call. {first} is happy, the last campaign brought more leads than the same one a year ago.",
        "{first} showed the new welcome journey. The team of {colleague} will start using it too.",
        "All fine. Talked about the roadmap and a reference story with {first}.",
        "Quarterly numbers reviewed: open rate up, list clean. {first} plans another brand for next year.",
        "Short check-in with {first}. The campaign calendar for the next two months is set.",
        "{first} has trained {colleague} without us. Best sign of the quarter.",
        "They moved the event registrations to our forms; 400 sign-ups in the first week, says {first}.",
        "{first} reports fewer unsubscribes since the preference centre went live.",
        "Team at {company} is busy and in good spirits. {first} wants to try lead scoring after the season.",
        "Went through the report for their board with {first}: attribution is what convinced them.",
        "{first} praised support by name. Nothing to escalate.",
        "Lists are cleaned, sender reputation is good, {first} has no wishes for once.",
    ],
}

NEXT_STEPS = {
    "depth": [
        "Agreed a refresher training.",
        "Risk: adoption. Next: training for the new starters.",
        "Will send a campaign calendar and templates.",
        "Next: look at it with their manager.",
    ],
    "breadth": [
        "Offered a configuration audit.",
        "Workshop in two weeks, {first} names the people.",
        "Sent two examples.",
        "Will build the first one together.",
    ],
    "people": [
        "Need a new champion.",
        "Next: ask for an introduction.",
        "Will write to the managing director.",
        "Try again before the end of the month.",
    ],
    "friction": [
        "Promised an escalation to support.",
        "Agreed a weekly call until it is solved.",
        "Asked engineering for a date.",
        "Will follow up on Thursday.",
    ],
    "price": [
        "Value report promised.",
        "Next: numbers for their finance team.",
        "To discuss with the lead.",
        "No offer made yet.",
    ],
    "well": [
        "No open points.",
        "Nothing urgent.",
        "Next call as planned.",
        "Will send the roadmap slides.",
        "Asked whether they would speak at the user day.",
        "",
    ],
}

SHOCK_NOTES = {
    "champion_left": "{first} has left {company}; out-of-office names {colleague} as contact. Our main sponsor is gone.",
    "incident": "Incident at {company}: scheduled campaign was sent twice after the sync error. {first} is upset, support is on it.",
    "price_event": "{first} at {company} was told about the new price list. Reaction: surprised, asks for options before the renewal.",
    "pause": "{company} has stopped all sends for now: internal data review. {first} hopes to start again within the month.",
    "team_change": "Restructuring at {company}: marketing team cut, {first} says campaigns pause for now.",
    "new_champion": "{first} is the new main contact at {company}. Introduction call planned.",
    "notice": "{first} gave notice for {company}. Reason given: {reason}.",
    "onboarded": "Onboarding of {company} completed. First campaign live, {first} owns the platform.",
}

CHURN_REASONS = {
    "depth": "they hardly use it",
    "breadth": "they use only a fraction of the platform",
    "people": "new management brings its own tool",
    "friction": "too many technical problems",
    "price": "cheaper alternative",
    "well": "merger with another company",
}

CALL_TITLES = ["Call with {first} {last}", "Follow-up call", "Check-in call", "Call about open points"]

TICKETS = {
    "depth": [
        "How do I schedule a campaign?",
        "Reset password for a colleague",
        "Where do I find the campaign report?",
        "Template editor question",
        "Add a new user",
    ],
    "breadth": [
        "How to start an automation from a form",
        "Lead scoring rules do not add up",
        "Landing page on our own domain",
        "SMS sender name",
        "Connect the CRM",
    ],
    "friction": [
        "Import stops at 80%",
        "Contacts missing after CRM sync",
        "Campaign sent twice",
        "High bounce rate on last send",
        "Editor freezes in Chrome",
        "Automation did not trigger",
        "Tracking links return 404",
        "Export fails with a time-out",
        "Form submissions not arriving",
        "API returns error 500",
    ],
    "price": [
        "Question about our last invoice",
        "Change of billing address",
        "Cancel unused seats",
        "Cost of extra contacts",
    ],
    "well": [
        "Request: dark mode for the editor",
        "Copy a journey to another brand",
        "API limit for our integration",
        "Add DKIM record",
        "GDPR data request",
    ],
}

TICKET_BODIES = [
    "Hello, since this morning we see the following: {subject}. Could you have a look please? Thanks, {first}",
    "Hi team,\n\n{subject}. We tried it in two browsers.\n\nBest,\n{first}",
    "{subject} - it happens for all users of our account. Screenshot attached.\n{first} {last}",
    "Good morning, a quick one: {subject}\n\nKind regards\n{first} {last}, {company}",
]

TAGS = {
    "depth": ["how_to"],
    "breadth": ["how_to", "automation"],
    "friction": ["bug"],
    "price": ["billing"],
    "well": ["feature_request"],
}

NPS_COMMENTS = {
    "promoter": [
        "Easy to use and our contact is great.",
        "We save a day a week with automations.",
        "Support answers fast, platform does what it says.",
        "Best tool we had so far 🙂",
        "Really happy, would like more templates though.",
        "",
    ],
    "passive": [
        "Good, but reports could be better.",
        "Does the job.",
        "Fine for newsletters, the rest is complex.",
        "OK value, a bit expensive.",
        "",
    ],
    "detractor": [
        "Too many errors in the last months.",
        "Support takes too long.",
        "Price went up and nothing got better.",
        "Editor is slow, team avoids it.",
        "We only use 10% of it.",
        "No one calls us any more.",
        "",
    ],
}
DETRACTOR_BY_TOPIC = {"friction": 0, "price": 2, "depth": 4, "breadth": 4, "people": 5}

CSAT_COMMENTS = {
    "good": ["Quick and friendly", "Solved, thanks!", "", "", "Great help"],
    "bad": ["Took four days", "Not solved at all", "", "Had to explain three times"],
}


def topic_of(latents: tuple[float, float, float, float, float], rng: random.Random) -> str:
    """The subject most on people's mind: the worst latent when it is bad enough, else `well`. Order V, B, R, F, P."""
    depth, breadth, people, friction, price = latents
    pains = {"depth": -depth, "breadth": -breadth * 0.8, "people": -people, "friction": friction, "price": price}
    topic, pain = max(pains.items(), key=lambda item: item[1] + rng.gauss(0, 0.25))
    return topic if pain > 0.75 else "well"


def note(rng: random.Random, topic: str) -> str:
    """What was said, and mostly what happens next."""
    found = rng.choice(NOTES[topic])
    return f"{found} {rng.choice(NEXT_STEPS[topic])}".strip() if rng.random() < 0.8 else found


def nps_comment(rng: random.Random, category: str, topic: str) -> str:
    """Half of the answers carry a comment; a detractor's names what hurts."""
    if rng.random() < 0.45:
        return ""
    options = NPS_COMMENTS[category]
    if category == "detractor" and topic in DETRACTOR_BY_TOPIC and rng.random() < 0.7:
        return options[DETRACTOR_BY_TOPIC[topic]]
    return rng.choice(options)
