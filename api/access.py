"""How the description says who gets in: by a session or by a token, and for each operation what a token must hold.

Read from the policies of the routes, so that the description cannot say anything else than what is enforced.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from api.deps import READ_ONLY, SAFE_METHODS, Policy
from app.api_tokens import LONGEST_DAYS, PREFIX, Scope, permissions_of
from app.auth import SESSION_COOKIE

SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "What signing in leaves in a browser. Behind TLS its name begins with `__Host-`.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": f"{PREFIX}…",
        "description": "A personal token; beside each operation stand the scopes that it needs.",
    },
}
DESCRIPTION = f"""Accounts, actions and suggestions over HTTP.

Programs send `Authorization: Bearer {PREFIX}…` with every request. A person makes such a token in the menu under their
name, *Sign-in and security*, *Tokens for programs*: it is shown once, lives up to {LONGEST_DAYS} days, and can be
revoked there. It may do what the person may, within its scopes: `read` (read everything the person sees, and take
files), `actions` (work on actions, playbooks and the queue), `suggestions` (answer suggestions). A token beside a
session cookie decides alone. Operations that name no token take a session only.

Writes are JSON only, and need `Idempotency-Key` where it is listed: sent again, the same key gives the first answer
again. Refusals are `application/problem+json`: 401 without a valid session or token, 403 for what the person or the
token may not do, 422 for a value that cannot be taken or a query parameter that the operation does not know.

Each token, and each person, may ask 600 times a minute and take 20 files a minute, unless the installation sets other
limits; beyond that the answer is 429, and `Retry-After` says in how many seconds to ask again."""


def _policies(dependant: Dependant) -> Iterator[Policy]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Policy):
            yield inner.call
        yield from _policies(inner)


def _scopes(policy: Policy, method: str) -> list[tuple[Scope, ...]]:
    """The smallest sets of scopes that pass a policy, each enough by itself; none where no token does."""
    if policy.needs_session:
        return []
    for size in range(1, len(Scope) + 1):
        enough = [
            scopes
            for scopes in combinations(Scope, size)
            if policy.needs in permissions_of(scopes)
            and (method in SAFE_METHODS or permissions_of(scopes) != READ_ONLY)
        ]
        if enough:
            return enough
    return []


def add_access(described: dict[str, Any], app: FastAPI) -> None:
    """Give an OpenAPI description of `app` its security schemes, and every operation what it asks for."""
    described["components"]["securitySchemes"] = SCHEMES
    for route in iter_route_contexts(app.routes):
        operations = described["paths"].get(route.path, {})
        for method in route.methods or ():
            if method.lower() in operations:
                operations[method.lower()]["security"] = [
                    way
                    for policy in _policies(route.dependant)
                    for way in (
                        {"session": []},
                        *({"token": [scope.value for scope in scopes]} for scopes in _scopes(policy, method)),
                    )
                ]
