"""`python -m orchestration.prepare`: make the dbt manifest before the first process needs it, and its documentation.

Without it the code server would parse the project itself, at the moment its start is being waited for.
"""

import argparse

from orchestration import documentation, manifest


def main() -> None:
    """Prepare the manifest and the documentation, and say where they lie."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.prepare", description=main.__doc__)
    parser.add_argument("--force", action="store_true", help="parse even when the manifest looks fresh")
    print(manifest.prepare(force=parser.parse_args().force))
    print(documentation.write())


if __name__ == "__main__":
    main()
