"""The API to read in a browser: one list of operations, made here. The usual viewers load their scripts from a CDN."""

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#f2f2f2;padding:.1em .3em;border-radius:3px}dt{margin-top:1rem}dd{margin:.2rem 0 0 1.5rem}"
)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    names = [f"{one['name']}{'' if one.get('required') else '?'}" for one in operation.get("parameters", ())]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    taken = [body["$ref"].rsplit("/", 1)[1]] if "$ref" in body else []
    asked = f"<dd>takes <code>{escape(', '.join(names + taken))}</code></dd>" if names or taken else ""
    said = escape(operation.get("description", ""))
    return f"<dt><code>{escape(method.upper())} {escape(path)}</code></dt><dd>{said}</dd>{asked}"


def page(description: Mapping[str, Any]) -> str:
    """An HTML page of all operations of an OpenAPI description."""
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    )
    title = escape(description["info"]["title"])
    said = "".join(f"<p>{escape(part)}</p>" for part in description["info"]["description"].split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"</head><body><h1>{title}</h1>{said}"
        f'<p>The full description is <a href="openapi.json">openapi.json</a>.</p><dl>{operations}</dl></body></html>'
    )
