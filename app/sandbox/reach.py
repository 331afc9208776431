"""What an analyst can read: the published tables, with what their makers wrote about them.

Asked of the database each time, as the application: the role `analyst` itself may read no catalogue.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

SCHEMA = "marts"  # the one place that says where published tables are read
ROLE = "analyst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column of a table: its type in PostgreSQL's words, and its description, "" without one."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table that can be read. Its description begins with its grain: "One row per …"."""

    name: str
    description: str
    fields: tuple[Field, ...]

    @property
    def grain(self) -> str:
        """The first sentence of the description."""
        return self.description.partition(". ")[0].partition(": ")[0].rstrip(".")


_COLUMNS = text(
    """
    select
        c.relname as relation, coalesce(obj_description(c.oid, 'pg_class'), '') as about,
        a.attname as name, format_type(a.atttypid, a.atttypmod) as kind,
        coalesce(col_description(c.oid, a.attnum), '') as description
    from pg_catalog.pg_class as c
    join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = to_regnamespace(:schema) and c.relkind in ('r', 'v', 'm', 'p')
      and has_table_privilege(:role, c.oid, 'select')
    order by c.relname, a.attnum
    """
)


def relations(db: Connection) -> tuple[Relation, ...]:
    """Every table that can be read, by name, with its columns in their order; none before the first build."""
    found: dict[str, tuple[str, list[Field]]] = {}
    for row in db.execute(_COLUMNS, {"schema": SCHEMA, "role": ROLE}):
        _, fields = found.setdefault(row.relation, (row.about, []))
        fields.append(Field(name=row.name, kind=row.kind, description=row.description))
    return tuple(Relation(name=name, description=about, fields=tuple(f)) for name, (about, f) in found.items())
