"""What every refusal looks like: RFC 9457 problem details with a sentence and, where there is one, the next step."""

from typing import Any

from pydantic import BaseModel


class FieldError(BaseModel):
    """One value that was refused: where it stands in the request, and why."""

    field: str
    message: str


class Problem(BaseModel):
    """`application/problem+json`.

    `code` is stable and for programs; `detail` and `hint` are for people. `error_id` is set when something broke on our
    side and stands in the log as well. A stale version carries `current`, the `changes` since, and `yours`, the request
    body as it came, so that nothing typed is lost; an illegal transition carries `legal`.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str
    errors: list[FieldError]
    error_id: str | None
    legal: list[str] | None
    current: dict[str, Any] | None
    changes: list[dict[str, Any]] | None
    yours: Any
