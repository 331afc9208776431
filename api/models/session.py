"""Bodies of /session."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.auth import Role


class Credentials(BaseModel):
    """What a person types to sign in."""

    model_config = ConfigDict(extra="forbid")

    email: str
    password: str
    code: str | None = Field(default=None, max_length=20, description="Six digits, from who has an authenticator app.")


class Proof(BaseModel):
    """What a person types to prove again who they are."""

    model_config = ConfigDict(extra="forbid")

    password: str
    code: str | None = Field(default=None, max_length=20, description="Six digits, from who has an authenticator app.")


class Person(BaseModel):
    """Who is signed in. `permissions` are the names of what their role may do.

    `must_enrol`: nothing works before a second factor is set up. `confirmed_at` is when they last proved who they are;
    `is_recent`: what needs a fresh proof needs no other now.
    """

    user_id: UUID
    email: str
    display_name: str
    role: Role
    owner_email: str | None
    permissions: list[str]
    must_enrol: bool
    confirmed_at: datetime | None
    is_recent: bool


class Ways(BaseModel):
    """The name of the company's identity provider; null without one. The password always works."""

    provider: str | None
