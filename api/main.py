"""The application behind `uvicorn api.main:create_app --factory`.

Made by a function, so that importing it does nothing, and a test can have its own.
"""

import os
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute

from api import errors
from api.access import DESCRIPTION, add_access
from api.conditional import Conditional
from api.definitions import add_definitions
from api.deps import Anybody
from api.errors import MEDIA_TYPE
from api.examples import add_examples
from api.guard import Guard
from api.models.problem import Problem
from api.routers import (
    accounts,
    actions,
    bulk,
    data_issues,
    exports,
    gate,
    hand_over,
    health,
    identity,
    notices,
    pipeline,
    playbooks,
    provider,
    pulses,
    queue,
    search,
    session,
    sql,
    suggestions,
    views,
    workload,
)
from api.turns import Turns
from app.safety import UnsafeStart, refuse_unsafe
from app.settings import get_settings

# bulk before actions: its addresses would be read as an action's id
ROUTERS = tuple(
    part.router
    for part in (
        health, gate, hand_over, session, provider, identity, search, accounts, bulk, actions, queue, suggestions,
        data_issues, pulses, playbooks, notices, views, workload, exports, sql, pipeline,
    )
)  # fmt: skip
_REFUSED = {"4XX", "5XX"}
_PROBLEM = {"model": Problem, "description": "Refused, with a sentence and what to do next."}


class Api(FastAPI):
    """FastAPI, but its description says who gets in, has examples, and names `application/problem+json`."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            described = super().openapi()
            operations = (operation for methods in described["paths"].values() for operation in methods.values())
            for answers in (operation["responses"] for operation in operations):
                for status in _REFUSED & answers.keys():
                    answers[status]["content"] = {MEDIA_TYPE: answers[status]["content"]["application/json"]}
            add_examples(described)
            add_definitions(described)
            add_access(described, self)
        return self.openapi_schema or {}


def _operation_id(route: APIRoute) -> str:
    """The function's name: the generated client calls `createAction`, not `create_action_actions_post`."""
    return route.name


def bare_app() -> FastAPI:
    """Routes and error handlers, without anything read from the environment: what openapi.json describes."""
    app = Api(
        title="Account intelligence",
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the address it would lead to is not the one behind the door
        generate_unique_id_function=_operation_id,
        responses=dict.fromkeys(sorted(_REFUSED), _PROBLEM),
    )
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    return app


def _docs(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json", dependencies=[Anybody])
    def openapi() -> dict[str, object]:
        """The description of this API."""
        return app.openapi()

    @router.get("/docs", dependencies=[Anybody], response_class=Response)
    def docs() -> Response:
        """The same to read, without anything loaded from elsewhere."""
        from api.docs import page

        return Response(page(app.openapi()), media_type="text/html; charset=utf-8")

    return router


def create_app() -> FastAPI:
    """The application of a process. Descriptions of the API are served in the demo only; a production process with
    careless secrets, or whose account may do too much, ends here with one line."""
    try:
        refuse_unsafe(os.environ, is_production=get_settings().environment == "production")
    except UnsafeStart as refusal:
        raise SystemExit(str(refusal)) from None
    app = bare_app()
    app.state.turns = Turns()
    if get_settings().environment == "demo":
        app.include_router(_docs(app))
    app.add_middleware(Conditional)
    app.add_middleware(Guard)
    return app
