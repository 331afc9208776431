"""Everything the application reads from its environment, in one place.

Secrets are `SecretStr`, so that a printed settings object or a traceback does not show them.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The application's settings; each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    environment: Literal["demo", "production"] = "demo"
    app_database_url: SecretStr
    redis_url: SecretStr | None = None
    # statements of analysts run as a role of their own; without it there is no SQL
    analyst_dsn: SecretStr | None = None
    sql_cancel_seconds: float = 5.0
    # where the columnar copies lie; without it the database answers questions over whole marts too
    columnar_dir: Path | None = None
    columnar_threads: int = 2  # of one question; they give way to who works on pages
    columnar_memory_mb: int = 320  # of one question
    follow_source_clock: bool = False

    api_port: int = 8000
    streamlit_port: int = 8501
    dagster_port: int = 3000
    api_url: str = "http://127.0.0.1:8000"
    streamlit_url: str = "http://127.0.0.1:8501"

    # the front door, where links in messages lead; without it the pages' own address
    public_url: str | None = None
    # the front door's other address, to which an admin's session is handed over
    orchestrator_site: str = "http://localhost:8081"
    # what the front door adds to a request, so that nobody else can tell us where a request came from
    proxy_secret: SecretStr | None = None
    # messages leave by e-mail when there is a host, to a chat channel when there is an address; else notices only
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_from: str = "Account Intelligence <no-reply@localhost>"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    notify_webhook_url: SecretStr | None = None

    # the company's own identity provider (OpenID Connect), where there is one; its name stands on the button
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "your company's sign-in"

    # without anything a person did, and in any case: half an hour, and a working day
    session_idle_minutes: int = 30
    session_absolute_minutes: int = 8 * 60
    recent_sign_in_minutes: int = 15
    database_pool_size: int = 10
    database_statement_timeout_ms: int = 15_000
    cache_seconds: int = 600
    # of one person, and of each token; an export reads much
    api_requests_per_minute: int = 600
    api_exports_per_minute: int = 20

    @property
    def front_url(self) -> str:
        """The address that people open: the front door's, or without one the pages' own."""
        return self.public_url or self.streamlit_url


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once. Tests call `get_settings.cache_clear()` after changing the environment.

    Raises pydantic.ValidationError naming the variable that is missing or malformed.
    """
    return Settings()  # pyright: ignore[reportCallIssue]  # the environment gives the required fields
