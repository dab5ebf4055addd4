"""What the architecture says of tables and modules, for the tests that hold it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
APPS = ("cdp", "governance", "profiles", "segments", "destinations", "journeys", "insights")

# A scope is made from these; they are read in `cdp.tenancy` only.
TABLES_WITHOUT_POLICY = {
    "tenancy_sandbox",
    "tenancy_credential",
    "tenancy_writekey",
}


def tenant_tables() -> dict[str, list[str]]:
    """Return the tables, and partitions, whose rows have an owner, with the columns that say it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text, array_agg(a.attname::text ORDER BY a.attname)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
            " AND a.attname IN ('sandbox_id', 'organization_id') AND NOT a.attisdropped"
            " GROUP BY 1 ORDER BY 1"
        )
        found = dict(cursor.fetchall())
    return {
        table: columns for table, columns in found.items() if table not in TABLES_WITHOUT_POLICY
    }


@cache
def texts() -> dict[str, str]:
    """Return the text of the project's own modules by name; tests and migrations aside."""
    return {name: path.read_text(encoding="utf-8") for name, path in paths()}


def mentioning(*words: str) -> dict[str, ast.Module]:
    """Return the modules, parsed, in whose text one of the words stands."""
    return {
        name: ast.parse(text) for name, text in texts().items() if any(w in text for w in words)
    }


def paths() -> Iterator[tuple[str, Path]]:
    """Yield the name and the file of each of the project's own modules."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path
