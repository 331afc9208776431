"""Examples in the description: what a real server was sent and answered (`examples.json`), where OpenAPI wants them.

The file is written and checked by a test that walks through every operation; nothing in it is made up.
"""

import json
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("examples.json")
JSON = "application/json"
CSV = "text/csv; charset=utf-8"


def add_examples(described: dict[str, Any]) -> None:
    """Give every operation of an OpenAPI description its recorded query, request body and answer."""
    recorded = json.loads(RECORDED.read_text())
    for operation in (one for methods in described["paths"].values() for one in methods.values()):
        example = recorded.get(operation["operationId"], {})
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and parameter["name"] in example.get("query", {}):
                parameter["example"] = example["query"][parameter["name"]]
        if "request" in example:
            operation["requestBody"]["content"][JSON]["example"] = example["request"]
        if "response" in example:
            taken = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            taken["content"][JSON if JSON in taken["content"] else CSV]["example"] = example["response"]
