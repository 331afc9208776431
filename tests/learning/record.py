"""Record the account-days of a running warehouse for the tests: `python -m local run -m tests.learning.record`.

`estate.parquet` is the demo's default estate (620 simulated accounts, two years, seed 24) as the warehouse tells it to
the learner: what the sources said, loaded and built, and nothing of the simulator's hidden causes.
"""

from pathlib import Path

import psycopg

from learning import store
from learning.config import LearnerSettings
from learning.features import NAMES

ESTATE = Path(__file__).with_name("estate.parquet")


def main() -> None:
    """Write the file anew."""
    with psycopg.connect(LearnerSettings().dsn.get_secret_value()) as db:  # pyright: ignore[reportCallIssue]
        days = store.training_days(db).sort_values(["risk_date", "account_key"], ignore_index=True)
    small = days.astype(dict.fromkeys([*NAMES, "rule_probability_90d"], "float32"))
    small.to_parquet(ESTATE, compression="zstd", index=False)


if __name__ == "__main__":
    main()
