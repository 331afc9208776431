"""All five sources together: the command line, a day that passes, and a second run."""

from dataclasses import dataclass

import pytest

from extract.__main__ import main
from extract.run import run_source
from extract.sources import SOURCES, hubspot
from tests.extract.conftest import World


@dataclass(frozen=True)
class Done:
    """What a call of the command line left behind."""

    returncode: int
    stdout: str
    stderr: str


class CommandLine:
    """`python -m extract …` in this process: a new interpreter for every call would take most of the time."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        monkeypatch.setenv("LOADER_DSN", world.dsn)

    def __call__(self, *arguments: str, **environment: str) -> Done:
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
        self.capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as left:
            code = int(left.code or 0)
        said = self.capsys.readouterr()
        return Done(code, said.out, said.err)


@pytest.fixture
def command(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(world, monkeypatch, capsys)


def test_the_command_line_loads_everything_with_one_line_per_stream(world: World, command: CommandLine) -> None:
    done = command("--all")

    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    streams = {f"{source.name}.{stream}" for source in SOURCES.values() for stream in source.streams}
    assert {line.split()[0] for line in lines} == streams
    assert world.value("select count(*) from raw_product.usage_events") > 1000
    assert world.value("select sum(row_count - loaded_count - quarantined_count) from raw_survey.files") == 0


def test_one_stream_and_a_source_that_is_down(command: CommandLine) -> None:
    fine = command("stripe", "products")
    down = command("stripe", "products", STRIPE_BASE_URL="http://127.0.0.1:9")

    assert (fine.returncode, len(fine.stdout.splitlines())) == (0, 1)
    assert down.returncode == 1
    assert down.stderr.count("\n") == 1
    assert down.stderr.startswith("Stripe at http://127.0.0.1:9/v1/events does not answer")
    assert "Traceback" not in down.stderr


def test_a_missing_variable_is_named(command: CommandLine) -> None:
    done = command("hubspot", HUBSPOT_TOKEN="", HUBSPOT_BASE_URL="localhost:9011")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("HUBSPOT_BASE_URL and HUBSPOT_TOKEN are missing or malformed in the environment")


@pytest.mark.parametrize(("arguments", "said"), [(["hubspot", "tickets"], "hubspot has no stream 'tickets'; it has"),
                                                 ([], "name one source, or --all")])  # fmt: skip
def test_a_wrong_name_is_answered_with_the_right_ones(command: CommandLine, arguments: list[str], said: str) -> None:
    done = command(*arguments)

    assert done.returncode != 0
    assert said in done.stderr


def test_days_that_pass_bring_their_changes_and_nothing_twice(world: World) -> None:
    for source in SOURCES:
        run_source(source, dsn=world.dsn)
    before = world.value("select max(source_now) from ops.load_run")

    world.simulated.advance(days=3)
    results = [result for source in SOURCES for result in run_source(source, dsn=world.dsn)]

    by_name = {f"{result.source}.{result.stream}": result for result in results}
    assert by_name["product.usage_events"].inserted > 0
    assert by_name["stripe.events"].inserted > 0
    assert sum(result.inserted + result.updated for result in results if result.source == "hubspot") > 0
    assert world.value("select max(source_now) from ops.load_run") > before
    assert world.value("select count(*) - count(distinct event_id) from raw_product.usage_events") == 0
    for kind in hubspot.OBJECTS:
        there = world.simulated.truth(
            "select id::text || ' ' || date_trunc('milliseconds', updated_at)::text from hubspot_objects"
            " where object_type = %s and archived_at is null and merged_into is null and erased_at is null",
            kind,
        )
        assert world.versions(f"hubspot.{kind}") == set(there), kind
    for plural in ("customers", "subscriptions", "invoices"):
        there = world.simulated.truth(
            "select id || ' ' || coalesce(doc->>'status', '') from stripe_objects"
            " where object = %s and deleted is null",
            plural.removesuffix("s"),
        )
        assert world.states(f"stripe.{plural}") == set(there), plural
    assert world.value("select bool_and(read = inserted + updated + unchanged + stale + quarantined)"
                       " from ops.load_chunk") is True  # fmt: skip


@pytest.mark.parametrize("variant", ["bom", "utf16", "windows1252", "semicolon", "quoted_newline", "header_drift",
                                     "score_words", "plain"])  # fmt: skip
def test_an_odd_survey_file_loads_whole(world: World, variant: str) -> None:
    world.load("surveys.responses")
    name = world.simulated.happen("hubspot", "survey_file", variant=variant)

    result = world.load("surveys.responses")

    assert (result.inserted, result.quarantined) == (4, 0)
    assert world.value(f"select loaded_count from raw_survey.files where name = '{name}'") == 4


@pytest.mark.parametrize(("variant", "good", "bad"), [("truncated", 3, 1), ("score_11", 3, 1), ("total_row", 4, 1),
                                                      ("empty", 0, 0), ("unfinished", 0, 0)])  # fmt: skip
def test_a_faulty_survey_file_loads_its_good_rows(world: World, variant: str, good: int, bad: int) -> None:
    world.load("surveys.responses")
    world.simulated.happen("hubspot", "survey_file", variant=variant)

    result = world.load("surveys.responses")

    assert (result.inserted, result.quarantined) == (good, bad)
