"""Bodies of /session."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from app.auth import Role


class Credentials(BaseModel):
    """What a person types to sign in."""

    model_config = ConfigDict(extra="forbid")

    email: str
    password: str


class Person(BaseModel):
    """Who is signed in. `permissions` are the names of what their role may do."""

    user_id: UUID
    email: str
    display_name: str
    role: Role
    owner_email: str | None
    permissions: list[str]
