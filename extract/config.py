"""Settings of the five sources and of the warehouse, read from the environment when a run starts.

One class per source, so that a missing Stripe key does not stop HubSpot. Names are the variables of `.env.example`:
`HUBSPOT_BASE_URL` is `HubspotSettings.base_url`.
"""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from extract.errors import SourceRejected

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^/]+")]


class LoaderSettings(BaseSettings):
    """`LOADER_DSN`: the warehouse as role loader."""

    model_config = SettingsConfigDict(env_prefix="LOADER_", env_ignore_empty=True, frozen=True)
    dsn: SecretStr


class HttpSettings(BaseSettings):
    """Patience of the HTTP clients, in seconds. `connect_budget` applies until a source has answered once."""

    model_config = SettingsConfigDict(env_prefix="EXTRACT_", env_ignore_empty=True, frozen=True)
    retry_budget_seconds: float = 900.0
    connect_budget_seconds: float = 20.0
    wait_initial_seconds: float = 1.0
    wait_max_seconds: float = 60.0


class ScanSettings(BaseSettings):
    """How much of a table one full scan may tombstone as missing (0-1), and what it does with erased people."""

    model_config = SettingsConfigDict(env_prefix="EXTRACT_", env_ignore_empty=True, frozen=True)
    missing_limit_ratio: float = 0.05
    erase_privacy_deleted: bool = False


class HubspotSettings(BaseSettings):
    """HubSpot portal. `version` is a dated release such as 2026-09, or v3 for the older paths."""

    model_config = SettingsConfigDict(env_prefix="HUBSPOT_", env_ignore_empty=True, frozen=True)
    base_url: Address
    token: SecretStr
    version: str = "2026-09"


class StripeSettings(BaseSettings):
    """Stripe account. `version` is sent as Stripe-Version and pins the shape of every object."""

    model_config = SettingsConfigDict(env_prefix="STRIPE_", env_ignore_empty=True, frozen=True)
    base_url: Address
    api_key: SecretStr
    version: str = "2026-10-28.endive"


class ZendeskSettings(BaseSettings):
    """Zendesk account, signed in by OAuth client credentials. `base_url` is the host, with or without /api/v2."""

    model_config = SettingsConfigDict(env_prefix="ZENDESK_", env_ignore_empty=True, frozen=True)
    base_url: Address
    client_id: str
    client_secret: SecretStr


class ProductSettings(BaseSettings):
    """`PRODUCT_DSN`: the product database as its read-only role."""

    model_config = SettingsConfigDict(env_prefix="PRODUCT_", env_ignore_empty=True, frozen=True)
    dsn: SecretStr


class SurveysSettings(BaseSettings):
    """`SURVEYS_FOLDER`: the drop folder of NPS exports."""

    model_config = SettingsConfigDict(env_prefix="SURVEYS_", env_ignore_empty=True, frozen=True)
    folder: Path


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read(settings: type[SettingsT]) -> SettingsT:
    """The settings from the environment. Raises SourceRejected naming each variable that is missing or malformed."""
    try:
        return settings()
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        names = sorted({f"{prefix}{part['loc'][0]}".upper() for part in error.errors() if part["loc"]})
        raise SourceRejected(
            f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing or malformed in the environment; "
            "set it as .env.example shows and run again."
        ) from error
