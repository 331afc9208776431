"""Who reaches which thing: relation to a record, ids of others, fields nobody may set, caches, and who only reads."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count, permutations
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from api.main import bare_app
from app.auth import Identity, Role
from tests.api.asking import a_new_action, a_suggestion, key, open_action
from tests.api.conftest import World, serving
from tests.api.test_policy import ALLOWED, BODIES, NOBODY

_numbers = count(1)


def person(world: World, role: Role = Role.CSM) -> Identity:
    """Somebody no other test knows."""
    return world.estate.user(f"Visitor {uuid4().hex[:8]}", role)


@pytest.fixture
def people(world: World, maya: Identity, tom: Identity, alex: Identity, harriet: Identity) -> dict[str, Any]:
    """Actors of the policy: the owner of a thing, another CSM, and who is neither."""
    return {"anonymous": None, "owner": maya, "other": tom, "analyst": alex, "admin": harriet}


# --- Z02: what is done to a thing, by the relation to it

CLOSING = BODIES["POST", "/actions/{action_id}/close"]
WORK = [
    ("PATCH", "", {"version": 1, "title": "Other"}),
    ("POST", "/transitions", {"version": 1, "to_status": "in_progress"}),
    ("POST", "/transitions", {"version": 1, "to_status": "cancelled", "reason": "duplicate"}),
    ("POST", "/close", CLOSING),
]
ADDED = [
    ("POST", "/notes", {"note": "A note"}),
    ("POST", "/contacts", {"channel": "call", "was_reached": True}),
]
# whose account the action is on and who has it -> who may work it: an action is its owner's, whoever has the account
WORK_ALLOWED = {
    "theirs": {"owner", "admin"},
    "unassigned on their account": {"admin"},
    "given to a colleague, on their account": {"other", "admin"},
    "unassigned on nobody's account": {"admin"},
    "not there": set[str](),
}


def an_action(world: World, people: dict[str, Any], relation: str) -> str:
    """A new action in this relation to the people; its id."""
    admin = world.client(people["admin"])
    values: dict[str, Any] = {}
    if relation == "theirs":
        values["owner_user_id"] = str(people["owner"].user_id)
    if relation.startswith("given"):
        values["owner_user_id"] = str(people["other"].user_id)
    account = world.account(csm_email=None if "nobody" in relation else people["owner"].owner_email)
    return open_action(world, admin, account_key=account, **values)["action_id"]


@pytest.mark.parametrize("relation", WORK_ALLOWED)
@pytest.mark.parametrize(("method", "path", "body"), [*WORK, *ADDED], ids=lambda value: str(value)[:30])
def test_z02_an_action_is_worked_by_whom_the_policy_names(
    world: World, people: dict[str, Any], method: str, path: str, body: dict[str, Any], relation: str
) -> None:
    is_there = relation != "not there"
    may = WORK_ALLOWED[relation] if (method, path, body) in WORK else {"owner", "other", "admin"} if is_there else set()

    def done(who: str, action_id: str) -> int:
        target = f"/actions/{action_id}{path}"
        return world.client(people[who]).request(method, target, json=body, headers=key()).status_code

    action_id = an_action(world, people, relation) if is_there else str(NOBODY)
    before = world.estate.fingerprint()
    refused = {who: done(who, action_id) for who in people.keys() - may}
    unchanged = world.estate.fingerprint() == before
    allowed = {who: done(who, an_action(world, people, relation)) for who in may}

    never = {"anonymous": 401, "analyst": 403}
    assert refused == {who: never.get(who, 403 if is_there else 404) for who in refused}
    assert unchanged
    assert set(allowed.values()) <= {200, 201}, allowed


def test_z02_what_is_on_screen_counts_for_the_owner_alone(world: World, people: dict[str, Any]) -> None:
    owner = person(world)
    made = a_suggestion(world, owner)

    def recorded(who: Identity, kind: str) -> int:
        body = {"kind": kind, "suggestion_ids": [made["suggestion_id"], str(NOBODY)]}
        return world.client(who).post("/suggestions/exposures", json=body, headers=key()).json()["recorded"]

    assert [recorded(people[who], "shown") for who in ("other", "admin")] == [0, 0]
    assert [recorded(owner, kind) for kind in ("shown", "shown", "viewed", "viewed", "shown")] == [1, 0, 1, 0, 0]
    assert world.client(owner).get(f"/suggestions/{made['suggestion_id']}").json()["status"] == "viewed"


@pytest.mark.parametrize(
    ("path", "body"),
    [("accept", {}), ("dismiss", {"reason": "bad_timing"}), ("snooze", {"until": "2026-12-24"})],
)
def test_z02_a_suggestion_is_answered_by_its_owner_or_an_admin(
    world: World, people: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    owner = person(world)
    made = [a_suggestion(world, owner) for _ in range(2)]

    def answered(who: Identity | None, suggestion_id: object) -> int:
        target = f"/suggestions/{suggestion_id}/{path}"
        return world.client(who).post(target, json={"version": 1, **body}, headers=key()).status_code

    before = world.estate.fingerprint()
    refused = {who: answered(people[who], made[0]["suggestion_id"]) for who in ("anonymous", "other", "analyst")}
    missing = {who: answered(people[who], NOBODY) for who in ("anonymous", "other", "analyst", "admin")}
    unchanged = world.estate.fingerprint() == before

    assert refused == {"anonymous": 401, "other": 403, "analyst": 403}
    assert missing == {"anonymous": 401, "other": 404, "analyst": 403, "admin": 404}
    assert unchanged
    assert answered(owner, made[0]["suggestion_id"]) == 200
    assert answered(people["admin"], made[1]["suggestion_id"]) == 200


# --- Z03: other people's ids


def private_things(world: World, who: Identity) -> dict[str, str]:
    """What is somebody's own alone: an id by the name that the routes give it."""
    client = world.client(who)
    world.estate.admin.execute("update app.sessions set confirmed_at = now() where user_id = %s", [who.user_id])
    view = {"page": "actions", "name": f"Private {uuid4().hex[:6]}", "query": {}, "is_shared": False}
    action = open_action(world, client)
    change = {"kind": "snooze", "until": "2027-01-11", "reason": "Later"}
    items = [{"action_id": action["action_id"], "version": 1}]
    bulk = client.post("/actions/bulk", json={"change": change, "items": items}, headers=key())
    run = client.post("/playbooks/onboarding/start", json={"account_key": world.account()}, headers=key())
    assert run.status_code == 201, run.text
    return {
        "view_id": client.post("/views", json=view, headers=key()).json()["view_id"],
        "session_id": client.get("/sessions").json()[0]["session_id"],
        "token_id": client.post("/tokens", json={"name": "Mine", "scopes": ["read"]}).json()["token"]["token_id"],
        "bulk_id": bulk.json()["bulk_id"],
        "run_id": run.json()["run"]["run_id"],
        "action_id": action["action_id"],
        "suggestion_id": a_suggestion(world, who)["suggestion_id"],
        "user_id": str(who.user_id),
    }


# what every CSM may do to a thing of somebody else: read it, and add to it
OPEN_TO_ALL = {
    ("GET", "/actions/{action_id}"),
    ("GET", "/suggestions/{suggestion_id}"),
    ("GET", "/playbooks/runs/{run_id}"),
    ("POST", "/actions/{action_id}/notes"),
    ("POST", "/actions/{action_id}/contacts"),
}


def test_z03_no_route_changes_a_thing_of_somebody_else_or_tells_what_is_private(world: World) -> None:
    owner, stranger = person(world), person(world)
    things = private_things(world, owner)
    client = world.client(stranger)
    by_id = [(method, path) for method, path in ALLOWED if any(f"{{{name}}}" in path for name in things)]
    before = world.estate.fingerprint()

    answered = {
        (method, path): client.request(
            method, path.format(**things), json=BODIES.get((method, path)), headers=key()
        ).status_code
        for method, path in by_id
        if (method, path) not in OPEN_TO_ALL
    }

    assert len(answered) > 12
    assert set(answered.values()) <= {403, 404, 409}, answered
    assert world.estate.fingerprint() == before
    assert {answered[name] for name in answered if "{view_id}" in name[1] or "{session_id}" in name[1]} <= {403, 404}
    # what is private is not told apart from what is not there
    private = client.get(f"/views/{things['view_id']}")
    missing = client.get(f"/views/{NOBODY}")
    assert private.status_code == missing.status_code == 404
    assert private.json()["title"] == missing.json()["title"]


SPELLINGS: list[Callable[[str], str]] = [
    str.upper,
    lambda given: f"{given}%2f",
    lambda given: given.replace("-", ""),
    lambda given: f"{{{given}}}",
    lambda given: f"urn:uuid:{given}",
    lambda given: f" {given}",
    lambda given: f"{given}%00",
    lambda given: f"{given}.json",
    lambda given: str(UUID(given).int),
    lambda given: f"-{UUID(given).int}",
    lambda _given: "1.5",
    lambda _given: "-1",
    lambda _given: "null",
    lambda given: f"{NOBODY}%2f..%2f{given}",
]


@pytest.mark.parametrize("spell", SPELLINGS)
def test_z03_no_spelling_of_an_id_gets_past_the_owner(
    world: World, maya: Identity, tom: Identity, spell: Callable[[str], str]
) -> None:
    action_id = open_action(world, world.client(maya))["action_id"]
    client = world.client(tom)
    before = world.estate.fingerprint()

    answers = [
        client.request(method, f"/actions/{spell(action_id)}{path}", json=body, headers=key())
        for method, path, body in [*WORK, ("DELETE", "", None), ("PUT", "", {"version": 1})]
    ]

    assert {answer.status_code for answer in answers} <= {403, 404, 405, 422}
    assert world.estate.fingerprint() == before


def test_z03_many_at_once_are_checked_one_by_one(world: World, maya: Identity, tom: Identity) -> None:
    theirs, own = (open_action(world, world.client(who)) for who in (maya, tom))
    items = [{"action_id": one["action_id"], "version": 1} for one in (theirs, own)]
    change = {"kind": "cancel", "reason": "duplicate"}

    done = world.client(tom).post("/actions/bulk", json={"change": change, "items": items}, headers=key()).json()

    assert [one["action_id"] for one in done["changed"]] == [own["action_id"]]
    assert [one["action_id"] for one in done["refused"]] == [theirs["action_id"]]
    assert world.client(maya).get(f"/actions/{theirs['action_id']}").json()["action"]["version"] == 1


@pytest.mark.parametrize("path", ["/notices", "/views?page=actions", "/sessions", "/tokens", "/actions?mine=true"])
@pytest.mark.parametrize("parameter", ["user_id", "owner_user_id", "user", "as", "include", "sort", "filter"])
def test_z03_no_parameter_makes_a_list_of_own_things_somebody_elses(world: World, path: str, parameter: str) -> None:
    owner, stranger = person(world), person(world)
    private_things(world, owner)
    client = world.client(stranger)
    joined = "&" if "?" in path else "?"

    asked = client.get(f"{path}{joined}{parameter}={owner.user_id}")

    # the tracker knows this one, and then lists what is both theirs and of that owner: nothing
    is_known = (path, parameter) == ("/actions?mine=true", "owner_user_id")
    assert asked.status_code == (200 if is_known else 422)
    assert str(owner.user_id) not in asked.text


@pytest.mark.parametrize("parameter", ["owner", "owner_user_id", "csm_email", "account_key", "user_id"])
def test_z03_no_parameter_makes_a_file_hold_more_than_is_theirs(world: World, maya: Identity, parameter: str) -> None:
    others = world.account(csm_email="tom.okafor@force24.example")

    answer = world.client(maya).get("/exports/accounts.parquet", params={parameter: others})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def spelled(given: str) -> st.SearchStrategy[str]:
    """An id as somebody might try it: in other cases and forms, as a number, cut, with something around it, or as
    nobody would."""
    number = UUID(given).int
    cases = st.lists(st.booleans(), min_size=len(given), max_size=len(given)).map(
        lambda ups: "".join(one.upper() if up else one for one, up in zip(given, ups, strict=True))
    )
    around = st.sampled_from(
        ["", " ", "%20", "%00", "%0a", "{", "}", "+", "-", "0x", "urn:uuid:", '"', "'", "[]", ";", "%2f", "..%2f"]
    )
    forms = st.sampled_from(
        [given, given.replace("-", ""), str(number), f"-{number}", f"{number}.0", f"{number:e}", hex(number), given[:8]]
    )
    odd = st.sampled_from(["0", "-1", "1.5", "1e309", "NaN", "null", "true", "*", "%25"]) | st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
    ).map(lambda text: quote(text, safe=""))
    return cases | odd | st.tuples(around, cases | forms, around).map("".join)


@pytest.fixture(scope="module")
def their_things(world: World) -> dict[str, Any]:
    """An account of one CSM with an action, a note and an outcome on it, and another CSM who tries."""
    owner, stranger = person(world), person(world)
    account = world.account(csm_email=owner.owner_email)
    client = world.client(owner)
    going, ended = (open_action(world, client, account_key=account) for _ in range(2))
    noted = client.post(f"/actions/{going['action_id']}/notes", json={"note": "Between us"}, headers=key())
    assert noted.status_code == 201, noted.text
    closed = client.post(f"/actions/{ended['action_id']}/close", json=CLOSING, headers=key())
    assert closed.status_code == 200, closed.text
    told = client.get(f"/actions/{ended['action_id']}").json()
    note = client.get(f"/actions/{going['action_id']}").json()["notes"][0]
    return {
        "owner": owner,
        "stranger": stranger,
        "account": account,
        "actions": [going["action_id"], ended["action_id"]],
        "parts": [note["note_id"], told["outcomes"][0]["outcome_id"]],
    }


# nothing is kept from run to run: the ids are others then, and an example of other ids draws differently
@settings(max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_z03_however_an_id_is_written_a_stranger_changes_nothing_of_it(
    world: World, their_things: dict[str, Any], data: st.DataObject
) -> None:
    client = world.client(their_things["stranger"])
    target = data.draw(st.sampled_from([*their_things["actions"], *their_things["parts"]]), "target")
    text = data.draw(spelled(target), "id")
    account = data.draw(st.sampled_from([their_things["account"], their_things["account"].upper(), text]), "account")
    method, path, body = data.draw(
        st.sampled_from(
            [
                *((method, f"/actions/{text}{path}", body) for method, path, body in WORK),
                *((method, f"/actions/{text}", {"version": 1}) for method in ("DELETE", "PUT")),
                *(
                    (method, f"/actions/{their_things['actions'][0]}/{part}/{text}", {"note": "Other", "version": 1})
                    for method in ("PATCH", "PUT", "DELETE")
                    for part in ("notes", "outcomes")
                ),
                *(
                    (method, f"/accounts/{quote(account, safe='%')}", {"csm_email": "x@y.example"})
                    for method in ("PATCH", "PUT", "DELETE")
                ),
                (
                    "POST",
                    "/actions/bulk",
                    {
                        "change": {"kind": "cancel", "reason": "duplicate"},
                        "items": [{"action_id": unquote(text), "version": 1}],
                    },
                ),
                ("POST", "/actions/reassign", {"action_ids": [unquote(text)], "owner_user_id": None}),
            ]
        ),
        "request",
    )
    before = world.estate.fingerprint()

    answer = client.request(method, path, json=body, headers=key())

    bulk_of_nothing = answer.status_code == 200 and answer.json().get("changed") == []
    assert answer.status_code in {403, 404, 405, 409, 422} or bulk_of_nothing, answer.text
    assert world.estate.fingerprint() == before


READ_BY = [
    "filter",
    "sort",
    "include",
    "order_by",
    "fields",
    "expand",
    "id",
    "ids",
    "action_id",
    "owner",
    "user_id",
    "as",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_z03_no_filter_order_or_inclusion_makes_a_read_tell_more(
    world: World, their_things: dict[str, Any], data: st.DataObject
) -> None:
    client = world.client(their_things["stranger"])
    path = data.draw(
        st.sampled_from(["/actions?mine=true", "/suggestions?mine=true", "/notices", "/tokens", "/sessions"])
    )
    ids = st.sampled_from([*their_things["actions"], *their_things["parts"], str(their_things["owner"].user_id)])
    values = ids | ids.flatmap(spelled) | st.sampled_from(["notes", "outcomes", "-1", "1.5"])
    asked = data.draw(st.dictionaries(st.sampled_from(READ_BY), values, min_size=1, max_size=3))
    plain = client.get(path)

    answer = client.get(str(httpx.URL(path).copy_merge_params(asked)))

    assert answer.status_code in {200, 422}
    if answer.status_code == 200:
        assert answer.json() == plain.json()
    assert not [one for one in (*their_things["actions"], *their_things["parts"]) if one in answer.text]


# --- Z05: fields that nobody may set

NOT_THEIRS: dict[str, Any] = {
    "owner_id": str(NOBODY),
    "user_id": str(NOBODY),
    "actor_user_id": str(NOBODY),
    "actor": "Harriet Cole",
    "created_by": str(NOBODY),
    "created_at": "2020-01-01T00:00:00Z",
    "role": "admin",
    "permissions": ["manage_users"],
    "is_admin": True,
    "is_system": True,
    "is_active": True,
    "must_enrol": False,
    "source": "system",
    "status": "done",
    "decision_id": str(NOBODY),
    "__proto__": {"role": "admin"},
}


def test_z05_every_route_that_takes_a_body_is_tried() -> None:
    described = bare_app().openapi()["paths"]
    taking = {
        (method.upper(), path)
        for path, methods in described.items()
        for method, operation in methods.items()
        if "requestBody" in operation
    }

    assert taking == set(BODIES)


# the parameters of a saved view and the values of a statement have names of their own
FREE = ("query", "parameters")


def with_more(body: dict[str, Any], name: str, value: Any) -> Iterator[dict[str, Any]]:
    """The body with one more field: at its top, and in each object inside it."""
    yield {**body, name: value}
    for within, inner in body.items():
        if isinstance(inner, dict) and within not in FREE:
            yield {**body, within: {**inner, name: value}}
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            yield {**body, within: [{**inner[0], name: value}]}


@pytest.mark.parametrize("name", sorted(BODIES), ids=" ".join)
def test_z05_a_field_that_is_not_asked_for_is_refused_and_never_applied(
    world: World, harriet: Identity, name: tuple[str, str]
) -> None:
    method, path = name
    client = world.client(harriet)
    filled = path.format_map(defaultdict(lambda: NOBODY, role="csm"))
    before = world.estate.fingerprint()

    for field, value in NOT_THEIRS.items():
        for body in with_more(BODIES[name], field, value):
            answer = client.request(method, filled, json=body, headers=key())
            assert answer.status_code == 422, (body, answer.text)
            assert field in answer.text

    assert world.estate.fingerprint() == before


def test_z05_a_csm_gives_work_to_nobody_else(world: World, maya: Identity, tom: Identity) -> None:
    client = world.client(maya)
    own = open_action(world, client)
    before = world.estate.fingerprint()

    given = [
        client.post("/actions", json=a_new_action(world.account(), owner_user_id=str(tom.user_id)), headers=key()),
        client.patch(
            f"/actions/{own['action_id']}", json={"version": 1, "owner_user_id": str(tom.user_id)}, headers=key()
        ),
    ]

    assert [answer.status_code for answer in given] == [403, 403]
    assert world.estate.fingerprint() == before


# --- Z06: what is kept for one is not shown to another


@pytest.fixture(scope="module")
def without_cache(world: World) -> Iterator[str]:
    """The same database without anything kept: what is true."""
    with serving(world.environment | {"REDIS_URL": ""}) as url:
        yield url


def read_all(client: httpx.Client, account_key: str) -> dict[str, Any]:
    """Every read of what a build published."""
    paths = [path for method, path in ALLOWED if method == "GET" and path.startswith(("/accounts", "/exports"))]
    assert len(paths) >= 6
    found: dict[str, Any] = {}
    for path in paths:
        filled = path.format(account_key=account_key, dataset="accounts", file_format="csv")
        for parameters in ({}, {"owner": "me"}, {"search": "Kept"}, {"limit": "1"}):
            if path == "/accounts" or not parameters:
                answer = client.get(filled, params=parameters)
                assert answer.status_code == 200, answer.text
                found[f"{filled}?{parameters}"] = answer.text
    return found


@pytest.mark.parametrize("order", list(permutations(["csm", "analyst", "admin"])), ids="-".join)
def test_z06_whoever_reads_first_the_next_one_reads_their_own(
    world: World, without_cache: str, order: tuple[str, ...]
) -> None:
    number = next(_numbers)
    readers = {
        "csm": person(world),
        "analyst": person(world, Role.ANALYST),
        "admin": person(world, Role.ADMIN),
    }
    account = world.account(account_name=f"Kept {number}", csm_email=readers["csm"].owner_email)

    kept = [{who: read_all(world.client(readers[who]), account) for who in order} for _ in range(2)]
    true = {who: read_all(world.client(readers[who], url=without_cache), account) for who in order}

    assert kept == [true, true]
    assert true["csm"] != true["admin"], "their own accounts are not everybody's"


def test_z06_after_a_change_of_role_nothing_of_the_old_one_is_shown(world: World, without_cache: str) -> None:
    who = person(world)
    account = world.account(account_name="Kept by role", csm_email=who.owner_email)
    client, uncached = world.client(who), world.client(who, url=without_cache)
    seen = []

    for role in ("csm", "admin", "analyst", "csm"):
        world.estate.admin.execute("update app.users set role = %s where user_id = %s", [role, who.user_id])
        seen.append(read_all(client, account))
        assert seen[-1] == read_all(uncached, account), role

    assert seen[0] == seen[3] != seen[1]


# --- Z12: who only reads writes nowhere

# what an analyst writes is their own alone: their session, factor, tokens, views, statements, and what they have read;
# and what they found of figures said to be wrong
THEIR_OWN = {
    ("POST", "/session"),
    ("DELETE", "/session"),
    ("POST", "/session/confirm"),
    ("DELETE", "/sessions"),
    ("DELETE", "/sessions/{session_id}"),
    ("POST", "/second-factor"),
    ("POST", "/second-factor/confirm"),
    ("POST", "/tokens"),
    ("DELETE", "/tokens/{token_id}"),
    ("POST", "/notices/read"),
    ("POST", "/data-issues/{issue_id}/resolve"),
    ("POST", "/views"),
    ("PATCH", "/views/{view_id}"),
    ("POST", "/views/{view_id}/remove"),
    ("POST", "/sql/run"),
    ("POST", "/sql/plan"),
    ("POST", "/sql/queries"),
    ("POST", "/sql/queries/{query_id}/versions"),
    ("POST", "/sql/queries/{query_id}/remove"),
}


@pytest.mark.parametrize("by", ["session", "token"])
def test_z12_an_analyst_writes_nothing_of_the_tracker(world: World, maya: Identity, alex: Identity, by: str) -> None:
    things = private_things(world, person(world))
    client = world.client(alex)
    if by == "token":
        world.estate.admin.execute("update app.sessions set confirmed_at = now() where user_id = %s", [alex.user_id])
        wanted = {"name": uuid4().hex, "scopes": ["read", "actions", "suggestions"], "days": 1}
        secret = client.post("/tokens", json=wanted).json()["secret"]
        client = world.client()
        client.headers["authorization"] = f"Bearer {secret}"
    writes = {name for name in ALLOWED if name[0] != "GET"}
    before = world.estate.fingerprint()

    answered = {
        (method, path): client.request(
            method,
            path.format_map(defaultdict(lambda: "onboarding", **things, role="csm")),
            json=BODIES.get((method, path)),
            headers=key(),
        ).status_code
        for method, path in writes - THEIR_OWN
    }

    assert {name for name in writes if "analyst" in ALLOWED[name] or "anonymous" in ALLOWED[name]} == THEIR_OWN
    assert len(answered) > 20
    refused = {401, 403} if by == "token" else {403}  # what needs a session is told to a token as to nobody
    assert set(answered.values()) <= refused, answered
    after = world.estate.fingerprint()
    assert {name for name in after if after[name] != before[name]} <= {"api_tokens"}, "the token's own last use"


# --- Z15: an account that is no longer there


def test_z15_work_on_a_vanished_account_stays_with_who_has_it(world: World, tom: Identity, harriet: Identity) -> None:
    owner = person(world)
    account = world.account(csm_email=owner.owner_email)
    action = open_action(world, world.client(owner), account_key=account)
    path = f"/actions/{action['action_id']}"
    world.estate.transformer.execute("delete from marts.dim_accounts where account_key = %s", [account])
    world.estate.publish()

    def taken(who: Identity) -> bool:
        file = world.client(who).get("/exports/actions.parquet")
        return action["action_id"] in map(str, parquet.read_table(io.BytesIO(file.content))["action_id"].to_pylist())

    def work(who: Identity) -> int:
        body = {"version": 1, "to_status": "in_progress"}
        return world.client(who).post(f"{path}/transitions", json=body, headers=key()).status_code

    listed = world.client(harriet).get("/actions", params={"account_key": account}).json()["items"]
    assert [one["action_id"] for one in listed] == [action["action_id"]]
    assert world.client(harriet).get(path).json()["action"]["account_name"] == action["account_name"]
    assert world.client(harriet).get(f"/accounts/{account}").status_code == 404
    assert {who.display_name: taken(who) for who in (harriet, owner, tom)} == {
        harriet.display_name: True, owner.display_name: True, tom.display_name: False,
    }  # fmt: skip
    assert (work(tom), work(owner)) == (403, 200)
