"""What an image of ours can do: `python -m deploy COMMAND`.

start SERVICE     become the service, if it is safe to
prepare           bring the database to its shape, then end
health SERVICE    0 when the service in this container is well
run ARGUMENTS     Python in the service's environment, e.g. `run -m app.users list`
backup            take one now; --every-day goes on doing so
restore FOLDER    put one back, after checking all of it
"""

import argparse
import os
import sys

import psycopg

from app.safety import UnsafeStart, refuse_careless, refuse_unsafe
from deploy import services
from deploy.environment import CanNot, SecretMissing, establish, is_production

REFUSED = 78  # EX_CONFIG: what is configured is wrong, trying again changes nothing


def _checked(*, needs_server: bool) -> dict[str, str]:
    environment = establish()
    refuse_unsafe(environment, is_production=is_production(environment), needs_server=needs_server)
    return environment


def start(service: str) -> None:
    """Replace this process by the service's program. Raises UnsafeStart, SecretMissing, psycopg.OperationalError."""
    environment = _checked(needs_server=True)
    services.make_ready(service, environment)
    argv = services.command(service, environment)
    os.execv(argv[0], argv)  # noqa: S606 - the program is ours, there is no shell


def prepare() -> None:
    """Check the secrets, shape the database, check the accounts that came of it. Raises what `main` names."""
    from deploy import prepare as preparing

    environment = establish()
    production = is_production(environment)
    if production:
        refuse_careless(environment)
    preparing.prepare_roles(environment)
    refuse_unsafe(environment, is_production=production, needs_server=True)
    preparing.run_steps(environment)
    print("The database is prepared.", flush=True)


def main() -> int:
    """Do it; one line and an exit code say why not."""
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start").add_argument("service", choices=services.NAMES)
    commands.add_parser("prepare")
    commands.add_parser("run", prefix_chars="+").add_argument("arguments", nargs="+")  # options are Python's
    backing = commands.add_parser("backup")
    backing.add_argument("--every-day", action="store_true", help="stay, and take one a day at BACKUP_AT (UTC)")
    restoring = commands.add_parser("restore")
    restoring.add_argument("folder", help="a backup's folder, or `newest`")
    restoring.add_argument("--replace", action="store_true", help="put it in the place of databases that hold data")
    wanted = parser.parse_args()
    try:
        return _do(wanted)
    except (UnsafeStart, SecretMissing) as refusal:
        return _sorry(refusal, REFUSED)
    except psycopg.OperationalError as error:
        return _sorry(f"The database does not answer: {str(error).strip().splitlines()[0]}", 1)
    except CanNot as trouble:
        return _sorry(trouble, 1)


def _sorry(why: object, code: int) -> int:
    print(why, file=sys.stderr, flush=True)
    return code


def _do(wanted: argparse.Namespace) -> int:
    match wanted.command:
        case "start":
            start(wanted.service)
        case "prepare":
            prepare()
        case "run":
            _checked(needs_server=False)
            os.execv(sys.executable, [sys.executable, *wanted.arguments])  # noqa: S606 - no shell
        case "backup":
            from deploy import copies  # one image of the two has what it needs

            copies.run(_checked(needs_server=False), every_day=wanted.every_day)
        case "restore":
            from deploy import copies

            copies.restore_named(_checked(needs_server=False), wanted.folder, replace=wanted.replace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
