"""What a published figure says of itself: which version of which models made it, and what it rests on.

A mart's version is a digest of everything dbt would run to make it: its own SQL and that of all models, seeds and
macros above it, and the project's settings. What each column rests on is declared beside the SQL, in `meta.proof` of
the model; a column without a word of its own rests on what the model names.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_RESTS_ON = ("inputs", "usage", "figures", "from", "application")
_SHOWN = 12  # characters of a digest that people compare


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """One version of one mart. `key` names the columns that tell its rows apart.

    `chain`: name, layer, path and digest of each model, seed and source above the mart, itself first, raw tables last;
    of each the names of what it reads, how many data tests it has to pass, and who reads it (labels of exposures).
    `columns`: by name its type, its formula in words, and what it rests on (see `app.marts.proof`).
    """

    mart: str
    version: str
    path: str
    key: tuple[str, ...]
    chain: tuple[Mapping[str, Any], ...]
    columns: Mapping[str, Mapping[str, Any]]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_SHOWN]


def _above(manifest: Mapping[str, Any], unique_id: str) -> Iterator[str]:
    """The node and everything it is made of, nearest first, each once."""
    waiting, seen = [unique_id], {unique_id}
    while waiting:
        node = waiting.pop(0)
        yield node
        parents = [parent for parent in manifest["parent_map"].get(node, ()) if parent not in seen]
        seen.update(parents)
        waiting.extend(sorted(set(parents)))


def _macros_of(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[str]:
    """SQL of the project's own macros that a node calls, and of those they call."""
    waiting, seen = list(node.get("depends_on", {}).get("macros", ())), set[str]()
    while waiting:
        macro = manifest["macros"].get(waiting.pop())
        if macro and macro["package_name"] == manifest["metadata"]["project_name"] and macro["unique_id"] not in seen:
            seen.add(macro["unique_id"])
            yield macro["macro_sql"]
            waiting.extend(macro["depends_on"]["macros"])


def _name(manifest: Mapping[str, Any], unique_id: str) -> str:
    source = manifest["sources"].get(unique_id)
    return f"{source['schema']}.{source['name']}" if source else manifest["nodes"][unique_id]["name"]


def _step(manifest: Mapping[str, Any], unique_id: str) -> dict[str, Any]:
    children = manifest["child_map"].get(unique_id, ())
    around = {
        "name": _name(manifest, unique_id),
        "reads": sorted({_name(manifest, parent) for parent in manifest["parent_map"].get(unique_id, ())}),
        "tests": sum(child.startswith("test.") for child in children),
        "read_by": sorted(manifest["exposures"][child]["label"] for child in children if child.startswith("exposure.")),
    }
    if unique_id in manifest["sources"]:
        return {**around, "layer": "raw", "path": "", "digest": ""}
    node = manifest["nodes"][unique_id]
    digest = _digest(node["checksum"]["checksum"], *sorted(_macros_of(manifest, node)))
    layer = node["fqn"][1] if node["resource_type"] == "model" else node["schema"]
    return {**around, "layer": layer, "path": node["original_file_path"], "digest": digest}


def of(manifest: Mapping[str, Any], *, built_in: str, settings: str) -> list[ModelVersion]:
    """The version of every mart of a manifest, by name: what is built in schema `built_in`.

    `settings` is the text of dbt_project.yml, whose variables are part of a version.
    """
    found = []
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "model" or node["schema"] != built_in:
            continue
        chain = tuple(_step(manifest, above) for above in _above(manifest, unique_id))
        proof = node["config"].get("meta", {}).get("proof", {})
        own = proof.get("columns", {})
        columns = {
            name: {
                "type": column["data_type"],
                "formula": column["description"].strip(),
                **{part: rests[part] for rests in (own.get(name, proof),) for part in _RESTS_ON if part in rests},
            }
            for name, column in node["columns"].items()
        }
        words = json.dumps([proof, columns], sort_keys=True)
        version = _digest(*(f"{step['name']} {step['digest']}" for step in chain), settings, words)
        key = tuple(proof.get("key", ()))
        path = node["original_file_path"]
        found.append(ModelVersion(mart=node["name"], version=version, path=path, key=key, chain=chain, columns=columns))
    return sorted(found, key=lambda one: one.mart)


def keep(db: psycopg.Connection, models: Sequence[ModelVersion]) -> Jsonb:
    """Write down what these versions are made of, once; returns the version of each mart by its name."""
    with db.cursor() as cursor:
        cursor.executemany(
            "insert into marts.model_versions (mart, version, path, key, chain, columns)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (mart, version) do nothing",
            [
                (one.mart, one.version, one.path, list(one.key), Jsonb(list(one.chain)), Jsonb(dict(one.columns)))
                for one in models
            ],
        )
    return Jsonb({one.mart: one.version for one in models})
