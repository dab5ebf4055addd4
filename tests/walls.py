"""One object for each route that names one, so that the walls between tenants can be tried.

Each app says in `tests/<app>/walls.py` how to make its own:

    @names("/api/v1/roles/{pk}")
    def role(sandbox):
        return {"pk": create_role(...).pk}

A maker runs in the scope that its view would open: of the sandbox, or of the
organization. A route that nobody has spoken for fails `tests/test_walls.py`.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.db import connection

from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import bypass

Maker = Callable[[Sandbox], Mapping[str, str]]

_makers: dict[str, Maker] = {}
# Routes whose objects belong to everybody or are opened by something else, and the reason.
_others: dict[str, str] = {}


def names(*templates: str) -> Callable[[Maker], Maker]:
    """Register how to make the object that these routes name, and the values of their paths."""

    def registered(make: Maker) -> Maker:
        for template in templates:
            if template in _makers:
                raise ValueError(f"{template} has a maker already")
            _makers[template] = make
        return make

    return registered


def opened_otherwise(template: str, reason: str) -> None:
    """Say why a route needs no walls, or what holds them if no credential of the API opens it."""
    _others[template] = reason


def makers() -> dict[str, Maker]:
    """Return every maker, from the tests of all apps."""
    _load()
    return dict(_makers)


def others() -> dict[str, str]:
    """Return the routes that are opened otherwise."""
    _load()
    return dict(_others)


def _load() -> None:
    here = Path(__file__).parent
    for file in sorted(here.glob("*/walls.py")):
        importlib.import_module(f"tests.{file.parent.name}.walls")


def snapshot() -> dict[str, tuple[int, Any]]:
    """Return the number and the fingerprint of the rows of every table."""
    with bypass(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', count(*), sum(hashtextextended(r::text, 0)::numeric)"
                f" FROM {table} r"
                for table in tables
            )
        )
        return {table: (count, fingerprint) for table, count, fingerprint in cursor.fetchall()}
