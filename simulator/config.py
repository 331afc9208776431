"""Settings of the simulator, read from the environment.

The credentials are the same variables the extractors read: what the vendor accepts and what the client sends is one
value.
"""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One process reads these once; see `get_settings`."""

    model_config = SettingsConfigDict(extra="ignore")

    simulator_dsn: str = Field(description="Owner of the database that holds the simulated world.")
    simulator_product_dsn: str = Field(description="Owner of the simulated product database.")
    simulator_surveys_folder: Path = Field(description="Drop folder for NPS files.")
    simulator_host: str = "127.0.0.1"
    simulator_hubspot_port: int = 9011
    simulator_stripe_port: int = 9012
    simulator_zendesk_port: int = 9013
    simulator_smtp_port: int = 9014
    simulator_mailbox_port: int = 9015
    simulator_reader_role: str = "product_reader"
    simulator_workplace_url: str = Field(default="", description="The product's API, where simulated CSMs work.")
    simulator_csm_password: str = Field(default="", description="With which they sign in.")
    hubspot_token: str = ""
    stripe_api_key: str = ""
    zendesk_client_id: str = ""
    zendesk_client_secret: str = ""

    def is_loopback(self) -> bool:
        """Fault switches exist only on a server that no other machine can reach."""
        return self.simulator_host in ("127.0.0.1", "::1", "localhost")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the environment once per process."""
    return Settings()  # pyright: ignore[reportCallIssue]
