"""What every refusal looks like: RFC 9457 problem details with a sentence and, where there is one, the next step."""

from typing import Any, NotRequired

from pydantic import BaseModel
from typing_extensions import TypedDict


class FieldError(BaseModel):
    """One value that was refused: where it stands in the request, and why."""

    field: str
    message: str


class Problem(TypedDict):
    """`application/problem+json`.

    `code` is stable and for programs; `detail` and `hint` are for people. The other keys are there only where they say
    something: `error_id` when something broke on our side (it stands in the log as well); a stale version carries
    `current`, the `changes` since, and `yours`, the request body as it came, so that nothing typed is lost; an illegal
    transition carries `legal`.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str
    errors: list[FieldError]
    error_id: NotRequired[str]
    legal: NotRequired[list[str]]
    current: NotRequired[dict[str, Any]]
    changes: NotRequired[list[dict[str, Any]]]
    yours: NotRequired[Any]
