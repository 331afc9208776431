"""`python -m api.openapi > api/openapi.json`: the committed description, from which the shell's client is generated."""

import json
import sys

from api.main import bare_app


def description() -> str:
    """The description as it is committed: sorted, two spaces, one newline at the end."""
    return json.dumps(bare_app().openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(description())
