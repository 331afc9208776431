"""What an admin sets: action types, reasons, treatments and their minutes, escalation, retention, company holidays.

Each is one value under a name, in versions that are never changed: publishing makes a new one active, so that what was
true when something was decided can be looked up. Read where it is needed and not cached, because a user can write it.
The closed lists (which types and treatments exist) belong to the database's constraints; here is what they are called
and what they default to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from sqlalchemy import Connection, Row, Select, insert, select, text, update

from app import audit
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, NotFound, StaleVersion
from app.idempotency import once
from app.tables import configurations, users

_LOCK = 7_461_004
_VERSION_FIELD = "the version"
_FROZEN = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

TypeCode = Literal["risk", "lifecycle", "renewal", "expansion", "activity"]
PriorityCode = Literal["critical", "high", "medium", "low"]
InterventionCode = Literal[
    "diagnostic_call", "executive_reach_out", "business_review", "training", "configuration_audit",
    "integration_help", "support_escalation", "champion_onboarding", "onboarding_rescue", "value_report",
    "commercial_offer", "billing_fix", "reengagement_email", "roadmap_talk", "no_contact",
]  # fmt: skip


def _storable(value: object) -> object:
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= one <= "\udfff" for one in value)):
        raise ValueError("holds a character that cannot be stored")
    return value


Label = Annotated[str, BeforeValidator(_storable), Field(min_length=1, max_length=60)]
BusinessDays = Annotated[int, Field(ge=0, le=250)]


class ActionTypeSetting(BaseModel):
    """What a new action of a type starts with; `due_offset_bd` counts business days from today."""

    model_config = _FROZEN
    label: Label
    priority: PriorityCode
    due_offset_bd: BusinessDays
    is_offered: bool


class ActionReason(BaseModel):
    """Why an action exists; `action_type` is the type it proposes."""

    model_config = _FROZEN
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
    label: Label
    action_type: TypeCode
    is_offered: bool


class InterventionSetting(BaseModel):
    """A treatment; `effort_minutes` is what a plan books for it."""

    model_config = _FROZEN
    label: Label
    effort_minutes: Annotated[int, Field(ge=0, le=2_400)]
    action_type: TypeCode
    is_offered: bool


def _complete(codes: Sequence[str]) -> AfterValidator:
    """A value for each of the codes, in their order: PostgreSQL keeps the keys of a jsonb by their length."""

    def in_order(values: dict[str, Any]) -> dict[str, Any]:
        if missing := [code for code in codes if code not in values]:
            raise ValueError(f"nothing is said about {', '.join(missing)}")
        return {code: values[code] for code in codes}

    return AfterValidator(in_order)


class ActionTypes(RootModel[Annotated[dict[TypeCode, ActionTypeSetting], _complete(TypeCode.__args__)]]):
    """Every type by code."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _check(self) -> "ActionTypes":
        if not any(setting.is_offered for setting in self.root.values()):
            raise ValueError("at least one type must be offered")
        return self

    def of(self, code: str) -> ActionTypeSetting:
        """The setting of a type. Raises KeyError."""
        return self.root[code]  # pyright: ignore[reportArgumentType]


class ActionReasons(RootModel[tuple[ActionReason, ...]]):
    """Every reason, in the order a list shows them."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _check(self) -> "ActionReasons":
        codes = [reason.code for reason in self.root]
        if len(set(codes)) < len(codes):
            raise ValueError("a code stands there twice")
        if len(codes) > 200:
            raise ValueError("there are more than 200 reasons")
        return self

    def label(self, code: str) -> str:
        """What a reason is called; the code itself, in words, for one that is not in the list."""
        known = {reason.code: reason.label for reason in self.root}
        return known.get(code, code.replace("_", " ").capitalize())


class Interventions(
    RootModel[Annotated[dict[InterventionCode, InterventionSetting], _complete(InterventionCode.__args__)]]
):
    """Every treatment by code."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _check(self) -> "Interventions":
        if not any(setting.is_offered for setting in self.root.values()):
            raise ValueError("at least one treatment must be offered")
        return self

    def of(self, code: str) -> InterventionSetting:
        """The setting of a treatment. Raises KeyError."""
        return self.root[code]  # pyright: ignore[reportArgumentType]

    def effort(self) -> dict[str, int]:
        """Minutes by code."""
        return {code: setting.effort_minutes for code, setting in self.root.items()}


class Escalation(BaseModel):
    """After how many business days late something happens: the digest names it, the owner and the admins are told,
    an admin must decide."""

    model_config = _FROZEN
    digest_day: Annotated[int, Field(ge=1, le=60)]
    owner_and_admin_day: Annotated[int, Field(ge=1, le=60)]
    decision_day: Annotated[int, Field(ge=1, le=60)]

    @model_validator(mode="after")
    def _check(self) -> "Escalation":
        days = (self.digest_day, self.owner_and_admin_day, self.decision_day)
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError("each step must come later than the one before it")
        return self


class Retention(BaseModel):
    """Calendar days: ended actions leave the lists after `archive_after_days`, actions nobody started after
    `expire_after_days`; what analysts asked in SQL is forgotten after `forget_statements_after_days`."""

    model_config = _FROZEN
    archive_after_days: Annotated[int, Field(ge=1, le=3_650)]
    expire_after_days: Annotated[int, Field(ge=7, le=3_650)]
    forget_statements_after_days: Annotated[int, Field(ge=30, le=3_650)]


class CompanyHolidays(BaseModel):
    """Days on which nobody of the company works, beside the public holidays of each person's region; sorted, once."""

    model_config = _FROZEN
    days: Annotated[tuple[date, ...], Field(max_length=1_000)]

    @model_validator(mode="after")
    def _check(self) -> "CompanyHolidays":
        if list(self.days) != sorted(set(self.days)):
            raise ValueError("the days must be in order, each once")
        return self


class RuleThrottling(BaseModel):
    """When a rule is throttled: at least so many answers in so many days, of which surely more than `line_pct` were
    false alarms; and what is then left of the score of what it finds."""

    model_config = _FROZEN
    line_pct: Annotated[int, Field(ge=10, le=100)]
    least_answers: Annotated[int, Field(ge=10, le=1_000)]
    score_left_pct: Annotated[int, Field(ge=1, le=100)]
    window_days: Annotated[int, Field(ge=30, le=730)]


Value = ActionTypes | ActionReasons | Interventions | Escalation | Retention | CompanyHolidays | RuleThrottling
Configured = TypeVar(
    "Configured", ActionTypes, ActionReasons, Interventions, Escalation, Retention, CompanyHolidays, RuleThrottling
)

NAMES: Mapping[type[Value], str] = {
    ActionTypes: "action_types",
    ActionReasons: "action_reasons",
    Interventions: "interventions",
    Escalation: "escalation",
    Retention: "retention",
    CompanyHolidays: "company_holidays",
    RuleThrottling: "rule_throttling",
}
KINDS: Mapping[str, type[Value]] = {name: kind for kind, name in NAMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one name. `value` is JSON, as the model of the name has it; `created_by_name` is None for what
    was shipped."""

    name: str
    version: int
    value: Any
    is_active: bool
    created_by: UUID | None
    created_by_name: str | None
    created_at: datetime


_VERSION = TypeAdapter(Version)


def active(db: Connection, kind: type[Configured]) -> Configured:
    """What holds now. Raises NotFound when nothing was ever published under the name."""
    name = NAMES[kind]
    query = select(configurations.c.value).where(configurations.c.name == name, configurations.c.is_active)
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFound("configuration", name)
    return kind.model_validate(row.value)


def _selected() -> Select:
    return select(*configurations.c, users.c.display_name.label("created_by_name")).outerjoin(
        users, users.c.user_id == configurations.c.created_by
    )


def _read(row: Row) -> Version:
    return _VERSION.validate_python(dict(row._mapping))


def _known(name: str) -> type[Value]:
    if name not in KINDS:
        raise NotFound("configuration", name)
    return KINDS[name]


def active_version(db: Connection, name: str) -> Version:
    """The active version with who published it and when: what an editor starts from. Raises NotFound."""
    _known(name)
    row = db.execute(_selected().where(configurations.c.name == name, configurations.c.is_active)).one_or_none()
    if row is None:
        raise NotFound("configuration", name)
    return _read(row)


def versions(db: Connection, *, actor: Identity, name: str) -> list[Version]:
    """Every version of a name, newest first. Raises NotPermitted, NotFound."""
    require(actor, Permission.CONFIGURE)
    _known(name)
    query = _selected().where(configurations.c.name == name).order_by(configurations.c.version.desc())
    return [_read(row) for row in db.execute(query)]


def _checked(name: str, value: object) -> Value:
    kind = _known(name)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # pydantic names the key of a mapping "[key]": no word for a person
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        told = first["msg"].removeprefix("Value error, ").rstrip(".")
        where = f" ({place.replace('_', ' ')})" if place else ""
        raise InvalidInput(place or name, f"{told[:1].upper()}{told[1:]}{where}.", value=value) from None


def _told(value: Any) -> dict[str, object]:
    """A value as fields of an audit event: one for each code or setting."""
    if isinstance(value, list):
        return {**{one["code"]: one for one in value}, "the order": [one["code"] for one in value]}
    return dict(value)


def publish(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    name: str,
    value: object,
    expected_version: int,
    idempotency_key: str,
) -> Version:
    """Make `value` (JSON, or the model itself) the active version of a name, and tell each field that differs.

    Nothing is written when nothing differs. A reason that actions may carry cannot be left out: it is no longer
    offered.
    Raises NotPermitted, NotFound, InvalidInput naming the place in the value, StaleVersion, IdempotencyConflict.
    """
    require(actor, Permission.CONFIGURE)
    wanted = _checked(name, value)
    plain = wanted.model_dump(mode="json")

    def work() -> Version:
        db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        current = active_version(db, name)
        if current.version != expected_version:
            raise StaleVersion(current, expected_version, _changes_since(db, actor, name, expected_version))
        if current.value == plain:
            return current
        before, after = _told(current.value), _told(plain)
        if isinstance(wanted, ActionReasons) and (gone := sorted(before.keys() - after.keys())):
            raise InvalidInput(
                name,
                f"A reason cannot be left out ({', '.join(gone)}): actions may carry it.",
                value=value,
                hint="Stop offering it instead.",
            )
        db.execute(update(configurations).where(configurations.c.name == name).values(is_active=False))
        db.execute(
            insert(configurations).values(
                name=name,
                version=current.version + 1,
                value=plain,
                is_active=True,
                created_by=actor.user_id,
                created_at=now,
            )
        )
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.CONFIGURATION,
            subject_id=name,
            kind=Kind.CHANGED,
            # first, so that the events since a version can be found
            before={_VERSION_FIELD: current.version, **before},
            after={_VERSION_FIELD: current.version + 1, **after},
            idempotency_key=idempotency_key,
        )
        return active_version(db, name)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="publish_configuration",
        request={"name": name, "value": plain, "expected_version": expected_version},
        now=now,
        answer=Version,
        work=work,
    )


def _changes_since(db: Connection, actor: Identity, name: str, version: int) -> list[audit.AuditEvent]:
    """What was changed after a version, oldest first."""
    events = audit.trail(db, actor=actor, subject=Subject.CONFIGURATION, subject_id=name)[::-1]
    begins = [place for place, event in enumerate(events) if event.field == _VERSION_FIELD and event.before == version]
    return events[begins[0] :] if begins else []
