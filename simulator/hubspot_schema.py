"""What the CRM is made of: object types, their properties, association types, pipelines."""

from typing import Any

TYPE_IDS = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "tasks": "0-27",
}
SINGULAR = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "notes": "note",
    "meetings": "meeting",
    "calls": "call",
    "emails": "email",
    "tasks": "task",
}
DEFAULT_PROPERTIES = {
    "contacts": ["firstname", "lastname", "email"],
    "companies": ["name", "domain"],
    "deals": ["dealname", "amount", "closedate", "dealstage", "pipeline"],
    "notes": [],
    "meetings": [],
    "calls": [],
    "emails": [],
    "tasks": [],
}
PROPERTIES: dict[str, dict[str, str]] = {
    "companies": {
        "name": "string",
        "domain": "string",
        "industry": "enumeration",
        "city": "string",
        "country": "string",
        "numberofemployees": "number",
        "annualrevenue": "number",
        "lifecyclestage": "enumeration",
        "hubspot_owner_id": "enumeration",
        "tenant_id": "string",
        "customer_segment": "enumeration",
        "onboarding_completed_date": "date",
        "hs_merged_object_ids": "string",
        "createdate": "datetime",
        "hs_lastmodifieddate": "datetime",
        "hs_object_id": "number",
    },
    "contacts": {
        "email": "string",
        "firstname": "string",
        "lastname": "string",
        "jobtitle": "string",
        "phone": "phone_number",
        "lifecyclestage": "enumeration",
        "associatedcompanyid": "number",
        "hubspot_owner_id": "enumeration",
        "buying_role": "enumeration",
        "hs_email_bounce": "number",
        "left_company_date": "date",
        "hs_merged_object_ids": "string",
        "createdate": "datetime",
        "lastmodifieddate": "datetime",
        "hs_object_id": "number",
    },
    "deals": {
        "dealname": "string",
        "amount": "number",
        "deal_currency_code": "enumeration",
        "closedate": "datetime",
        "dealstage": "enumeration",
        "dealtype": "enumeration",
        "pipeline": "enumeration",
        "hs_is_closed_won": "bool",
        "hubspot_owner_id": "enumeration",
        "hs_merged_object_ids": "string",
        "createdate": "datetime",
        "hs_lastmodifieddate": "datetime",
        "hs_object_id": "number",
    },
    "notes": {
        "hs_timestamp": "datetime",
        "hs_note_body": "string",
        "hubspot_owner_id": "enumeration",
        "hs_createdate": "datetime",
        "hs_lastmodifieddate": "datetime",
        "hs_object_id": "number",
    },
    "meetings": {
        "hs_timestamp": "datetime",
        "hs_meeting_title": "string",
        "hs_meeting_body": "string",
        "hs_meeting_start_time": "datetime",
        "hs_meeting_end_time": "datetime",
        "hs_meeting_outcome": "enumeration",
        "hubspot_owner_id": "enumeration",
        "hs_createdate": "datetime",
        "hs_lastmodifieddate": "datetime",
        "hs_object_id": "number",
    },
    "calls": {
        "hs_timestamp": "datetime",
        "hs_call_title": "string",
        "hs_call_body": "string",
        "hs_call_direction": "enumeration",
        "hs_call_status": "enumeration",
        "hs_call_duration": "number",
        "hs_call_disposition": "enumeration",
        "hubspot_owner_id": "enumeration",
        "hs_createdate": "datetime",
        "hs_lastmodifieddate": "datetime",
        "hs_object_id": "number",
    },
    "emails": {},
    "tasks": {},
}
OPTIONS = {
    "customer_segment": ["SMB", "Mid-market", "Enterprise"],
    "buying_role": ["CHAMPION", "DECISION_MAKER", "BUDGET_HOLDER", "END_USER"],
    "dealtype": ["newbusiness", "renewal", "expansion"],
    "lifecyclestage": ["lead", "customer", "churned"],
    "hs_meeting_outcome": ["SCHEDULED", "COMPLETED", "NO_SHOW", "CANCELED"],
    "hs_call_disposition": ["connected", "no_answer", "left_voicemail"],
}
CUSTOM = {"tenant_id", "customer_segment", "onboarding_completed_date", "buying_role", "left_company_date"}
PAIR_TYPES: dict[tuple[str, str], tuple[int, int | None]] = {
    ("companies", "contacts"): (280, 2),
    ("contacts", "companies"): (279, 1),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("notes", "companies"): (190, None),
    ("companies", "notes"): (189, None),
    ("meetings", "companies"): (188, None),
    ("companies", "meetings"): (187, None),
    ("calls", "companies"): (182, None),
    ("companies", "calls"): (181, None),
    ("notes", "contacts"): (202, None),
    ("contacts", "notes"): (201, None),
    ("meetings", "contacts"): (200, None),
    ("contacts", "meetings"): (199, None),
    ("calls", "contacts"): (194, None),
    ("contacts", "calls"): (193, None),
    ("deals", "contacts"): (3, None),
    ("contacts", "deals"): (4, None),
}
"""(type id of the unlabelled association, type id of the primary one)."""


def resolve_type(name: str) -> str | None:
    """Plural name of an object type given as plural, singular or type id; owners are not objects."""
    lowered = name.lower()
    for plural, type_id in TYPE_IDS.items():
        if lowered in (plural, SINGULAR[plural], type_id):
            return plural
    return None


def association_types(from_type: str, to_type: str, is_primary: bool) -> list[dict[str, Any]]:
    """How a link is labelled in v4."""
    plain, primary = PAIR_TYPES.get((from_type, to_type), (1000, None))
    types: list[dict[str, Any]] = [{"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}]
    if is_primary and primary is not None:
        types.insert(0, {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"})
    return types


def inline_types(from_type: str, to_type: str) -> list[str]:
    """Type names under which an inline association repeats an id."""
    name = f"{SINGULAR[from_type]}_to_{SINGULAR[to_type]}"
    return [name, f"{name}_unlabeled"]


def definitions(object_type: str) -> list[dict[str, Any]]:
    """Property definitions of a type."""
    found = []
    for name, kind in PROPERTIES[object_type].items():
        options = [
            {"label": value, "value": value, "displayOrder": place, "hidden": False}
            for place, value in enumerate(OPTIONS.get(name, []))
        ]
        found.append(
            {
                "name": name,
                "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
                "type": kind,
                "description": "",
                "displayOrder": -1,
                "fieldType": {
                    "enumeration": "select",
                    "datetime": "date",
                    "bool": "booleancheckbox",
                    "phone_number": "phonenumber",
                }.get(kind, "text" if kind == "string" else kind),
                "groupName": f"{SINGULAR[object_type]}information",
                "options": options,
                "calculated": False,
                "externalOptions": name == "hubspot_owner_id",
                "formField": False,
                "hasUniqueValue": name == "hs_object_id",
                "hidden": False,
                "hubspotDefined": name not in CUSTOM,
                "archived": False,
                "showCurrencySymbol": name == "amount",
                "referencedObjectType": "OWNER" if name == "hubspot_owner_id" else None,
                "modificationMetadata": {
                    "archivable": name in CUSTOM,
                    "readOnlyDefinition": name not in CUSTOM,
                    "readOnlyValue": False,
                },
            }
        )
    return found


def pipelines(object_type: str) -> list[dict[str, Any]]:
    """The deal pipeline; other types have none."""
    if object_type != "deals":
        return []
    created = "2023-01-01T00:00:00.000Z"
    stages = [
        ("appointmentscheduled", "Appointment scheduled", 0.2),
        ("renewal_open", "Renewal open", 0.7),
        ("closedwon", "Closed won", 1.0),
        ("closedlost", "Closed lost", 0.0),
    ]
    return [
        {
            "id": "default",
            "label": "Customer pipeline",
            "displayOrder": 0,
            "archived": False,
            "createdAt": created,
            "updatedAt": created,
            "stages": [
                {
                    "id": stage,
                    "label": label,
                    "displayOrder": place,
                    "archived": False,
                    "createdAt": created,
                    "updatedAt": created,
                    "metadata": {"isClosed": str(odds in (0.0, 1.0)).lower(), "probability": str(odds)},
                }
                for place, (stage, label, odds) in enumerate(stages)
            ],
        }
    ]
