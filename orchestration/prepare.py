"""`python -m orchestration.prepare`: make the dbt manifest before the first process needs it.

Without it the code server would parse the project itself, at the moment its start is being waited for.
"""

import argparse

from orchestration import manifest


def main() -> None:
    """Prepare the manifest and say where it lies."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.prepare", description=main.__doc__)
    parser.add_argument("--force", action="store_true", help="parse even when the manifest looks fresh")
    print(manifest.prepare(force=parser.parse_args().force))


if __name__ == "__main__":
    main()
