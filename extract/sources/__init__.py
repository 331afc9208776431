"""The registry: every source by name, in the order they are loaded when all are asked for."""

from extract.sources import hubspot, product, stripe, surveys, zendesk
from extract.stream import Source

SOURCES: dict[str, Source] = {
    module.SOURCE.name: module.SOURCE for module in (product, hubspot, stripe, zendesk, surveys)
}
