"""Every operation of openapi.json is asked for what the description allows and for what it does not, as every role.

schemathesis makes the requests and judges the answers: no 5xx, no status, body or content type that is not described,
nothing taken that the description forbids. What it cannot know stands here: who may succeed at all.

It does not judge three things. That a well-formed request is taken (`positive_data_acceptance`): dates in the past,
moves out of order and keys used twice are well-formed and refused. What becomes of a thing after DELETE or POST as REST
would have it (`use_after_free`, `ensure_resource_availability`): nothing is deleted here, and a token's or a session's
id can not be read back by design. And that a method which an address does not know is 405 (`unsupported_method`): the
guard answers before addresses are looked at, and refuses what is not JSON with 415.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import BaseSchema, Case, Response
from schemathesis.checks import (
    ensure_resource_availability,
    positive_data_acceptance,
    unsupported_method,
    use_after_free,
)
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from api.main import bare_app
from app.auth import Role
from local.postgres import Postgres
from tests.api.asking import key
from tests.api.conftest import World, a_world
from tests.api.test_policy import ALLOWED, BODIES

SEED = 20261120
EXAMPLES = 4  # of each operation and role
SCENARIOS = 6  # of each role, of STEPS requests that use what earlier ones answered
STEPS = 10
NOT_JUDGED = [positive_data_acceptance, use_after_free, ensure_resource_availability, unsupported_method]
NOBODY = UUID(int=7)
ROLES = [*(role.value for role in Role), "anonymous"]
_numbers = count(1)


def described(*, with_edges: bool) -> BaseSchema:
    """The description, to be asked with random values and, `with_edges`, with the boundary values of each parameter."""
    edges = CoveragePhaseConfig(enabled=with_edges, unexpected_methods=set())
    project = ProjectConfig(
        generation=GenerationConfig(
            max_examples=EXAMPLES,
            deterministic=True,
            # made-up cookies and tokens would turn every request into one of nobody
            with_security_parameters=False,
        ),
        phases=PhasesConfig(coverage=edges),
    )
    return schemathesis.openapi.from_dict(
        bare_app().openapi(), config=SchemathesisConfig(seed=SEED, projects=ProjectsConfig(default=project))
    )


edges = described(with_edges=True)
random = described(with_edges=False)
QUIET = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    phases=(Phase.explicit, Phase.generate),
)


class Asker:
    """Sends what schemathesis made, as somebody, on things that exist."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = {role: world.estate.user(f"Asker {role}", Role(role)) for role in ROLES[:-1]}
        self.cookies = {role: world.client(who).cookies for role, who in self.people.items()}
        self._things: dict[tuple[str, str], dict[str, str]] = {}

    def things(self, label: str, role: str) -> dict[str, str]:
        """Ids of an account, an action, a suggestion and a view that only this operation and role are asked with."""
        if (label, role) not in self._things:
            owner = self.people["csm"]
            key = self.world.account(csm_email=owner.owner_email)
            self.world.estate.invoice(key, f"in_{next(_numbers)}")
            action = self.world.estate.action(actor=owner, account_key=key)
            self._things[label, role] = {"account_key": key, "action_id": str(action.action_id)}
        return self._things[label, role]

    def sign_everybody_in(self) -> None:
        """Undo what signs the askers out: ended sessions, and a second factor required of a role."""
        self.world.estate.admin.execute("update app.sessions set revoked_at = null where revoked_at is not null")
        self.world.estate.admin.execute("delete from app.second_factor_roles")

    def call_arguments(self, role: str) -> dict[str, Any]:
        """How somebody's request is sent: to this server, with their session."""
        cookies = {one.name: one.value for one in self.cookies[role].jar} if role in self.cookies else {}
        return {"base_url": self.world.url, "cookies": cookies, "allow_redirects": False, "timeout": 20}


@pytest.fixture(scope="module")
def asker(postgres_server: Postgres, redis_url: str) -> Iterator[Asker]:
    """An estate of its own, since what is sent to it is neither sparing nor kind."""
    with a_world(postgres_server, redis_url.removesuffix("/0") + "/7") as world:
        world.account()  # before the first build, figures are a 503
        yield Asker(world)
        for client in world.clients:
            client.close()


def judge(case: Case, answer: Response, role: str, **transport: Any) -> None:
    """Raise for whatever is wrong with an answer."""
    case.validate_response(answer, excluded_checks=NOT_JUDGED, transport_kwargs=transport)
    if answer.status_code < 400 and (case.method, case.operation.path) in ALLOWED:
        assert role in ALLOWED[case.method, case.operation.path], f"{role} may not {case.operation.label}"


def ask(case: Case, asker: Asker, role: str) -> None:
    """Send a case as somebody and judge the answer."""
    asker.sign_everybody_in()
    for name, thing in asker.things(case.operation.label, role).items():
        if name in case.path_parameters and "\x00" not in str(case.path_parameters[name]):
            case.path_parameters[name] = thing
        if isinstance(case.body, dict) and isinstance(case.body.get(name), str):
            case.body[name] = thing
    transport = asker.call_arguments(role)

    judge(case, case.call(**transport), role, **transport)


@edges.parametrize()
@QUIET
def test_x08_every_operation_keeps_its_word_at_the_edges(case: Case, asker: Asker) -> None:
    ask(case, asker, Role.ADMIN)


@pytest.mark.parametrize("role", [role for role in ROLES if role != Role.ADMIN])
@random.parametrize()
@QUIET
def test_x08_every_operation_keeps_its_word_to_everybody(case: Case, asker: Asker, role: str) -> None:
    ask(case, asker, role)


@pytest.mark.parametrize("role", ROLES)
def test_x08_what_one_answer_names_the_next_request_may_use(asker: Asker, role: str) -> None:
    class Walk(random.as_state_machine()):
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            asker.sign_everybody_in()
            return asker.call_arguments(role)

        def validate_response(self, response: Response, case: Case, *_: object, **transport: Any) -> None:
            judge(case, response, role, **transport)

    Walk.run(settings=settings(QUIET, max_examples=SCENARIOS, stateful_step_count=STEPS))


FRESH = {"connection": "close"}  # after a 500 the server ends the connection, which shall not blame the next request
ODD_TEXTS = {"nul": "a\x00b", "half a character": "a\ud800b", "long": "x" * 100_000, "right to left": "\u202eabc"}
ODD_DAYS = {"first": "0001-01-01", "last": "9999-12-31", "leap": "2027-02-29", "hour": "2027-01-01T24:00:00Z"}
ODD_NUMBERS = {"2^63": 2**63, "-2^63": -(2**63), "1e309": 10**309, "half": 0.5, "nan": float("nan")}


@pytest.mark.parametrize("odd", [*ODD_TEXTS.items(), *ODD_DAYS.items(), *ODD_NUMBERS.items()], ids=lambda odd: odd[0])
def test_x05_x06_an_odd_value_anywhere_in_a_body_is_never_our_fault(asker: Asker, odd: tuple[str, object]) -> None:
    things = asker.things(odd[0], Role.ADMIN)
    client = asker.world.client(asker.people[Role.ADMIN])
    broken: list[str] = []
    for (method, path), body in BODIES.items():
        address = path.format_map(defaultdict(lambda: str(NOBODY), things, role="csm"))
        for name in body:
            asker.sign_everybody_in()
            sent = json.dumps(
                {**body, **({"account_key": things["account_key"]} if "account_key" in body else {}), name: odd[1]}
            )

            answer = client.request(method, address, content=sent.encode(), headers=key() | FRESH)

            if answer.status_code >= 500:
                broken.append(f"{method} {path} {name}")
    assert broken == []


@pytest.mark.parametrize("odd", [*ODD_TEXTS.items(), *ODD_DAYS.items(), ("2^63", 2**63)], ids=lambda odd: odd[0])
def test_x05_x06_an_odd_value_in_an_address_is_never_our_fault(asker: Asker, odd: tuple[str, object]) -> None:
    client = asker.world.client(asker.people[Role.ADMIN])
    broken: list[str] = []
    text = quote(str(odd[1])[:5000].encode("utf-8", "surrogatepass"))
    described = bare_app().openapi()["paths"]
    for method, path, one in [
        (method, path, one)
        for path, methods in described.items()
        for method, operation in methods.items()
        for one in operation.get("parameters", [])
        if one["in"] in ("path", "query")
    ]:
        asker.sign_everybody_in()
        known = asker.things(odd[0], Role.ADMIN) | {"dataset": "accounts", "file_format": "csv"}
        if one["in"] == "path":
            known[one["name"]] = text
        query = f"?{one['name']}={text}" if one["in"] == "query" else ""
        body = BODIES.get((method.upper(), path))
        address = path.format_map(defaultdict(lambda: str(NOBODY), known)) + query

        answer = client.request(method, address, json=body, headers=key() | FRESH)

        if answer.status_code >= 500:
            broken.append(f"{method} {path} {one['name']}")
    assert broken == []
