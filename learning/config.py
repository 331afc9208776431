"""What the learner's own commands read from the environment; Dagster hands its connection over instead."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LearnerSettings(BaseSettings):
    """`LEARNER_DSN`: the warehouse as role learner."""

    model_config = SettingsConfigDict(env_prefix="LEARNER_", env_ignore_empty=True, frozen=True)
    dsn: SecretStr
