"""Bodies of /sessions, /second-factor, /tokens and of what an admin does with them, where the application has none."""

from pydantic import BaseModel, ConfigDict, Field

from api.models.values import Flag, Whole
from app.api_tokens import ApiToken, Scope
from app.auth import Role


class Ended(BaseModel):
    """How many sessions ended."""

    ended_count: int


class SecondFactorState(BaseModel):
    """Whether the person has an authenticator app, and whether their role must have one."""

    is_enrolled: bool
    is_required: bool


class Code(BaseModel):
    """Six digits."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=20)


class RoleRequirement(BaseModel):
    """Whether the people of a role must have a second factor."""

    role: Role
    is_required: bool


class Requirement(BaseModel):
    """What an admin asks of a role."""

    model_config = ConfigDict(extra="forbid")

    is_required: Flag


class NewToken(BaseModel):
    """A token as it is asked for."""

    model_config = ConfigDict(extra="forbid")

    name: str
    scopes: list[Scope]
    days: Whole = 90


class MadeToken(BaseModel):
    """A new token, and its secret, which is told this once."""

    secret: str
    token: ApiToken
