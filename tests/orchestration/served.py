"""The small graph as a code server loads it. The world is what a file says: one `stream: sentence` refusal a line."""

import os
from pathlib import Path

import dagster as dg

from extract.errors import SourceRejected
from orchestration.defs import load, reaper
from tests.orchestration import small


class FiledWorld(small.World):
    """A world whose refusals can be changed from another process."""

    def run_source(self, source: str, **keywords):
        """As `World.run_source`, with the refusals of the file."""
        for line in Path(os.environ["SMALL_WORLD"]).read_text().splitlines():
            stream, _, sentence = line.partition(": ")
            self.answers[stream] = [SourceRejected(sentence)]
        return super().run_source(source, **keywords)


load.run_source = FiledWorld().run_source  # pyright: ignore[reportAttributeAccessIssue]
defs = dg.Definitions.merge(small.definitions(), reaper.definitions())
