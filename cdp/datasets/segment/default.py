"""The default mapping, and what an inlet's settings change of it.

    {"namespaces": {"user": "CRMID"},
     "event_types": {"Signed Up": "account.created"},
     "rules": {"track": [["_luma.plan", "properties.plan"]]}}

A rule of the inlet's takes the place of the default one for the same destination; an
empty source switches a default rule off.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from orjson import loads

from cdp.datasets.mapping.rules import CompiledMapping, Rule, compile_mapping
from cdp.schemas.registry.fields import Field

SECTIONS: Final = ("event", "page", "screen", "track", "products", "person")
NAMESPACES: Final = ("user", "anonymous", "email", "previous")
Pairs = list[tuple[str, str]]


@cache
def defaults() -> dict[str, Any]:
    """Return the default mapping as it stands in its file."""
    given: dict[str, Any] = loads(files(__package__).joinpath("default_mapping.json").read_bytes())
    return given


def effective(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default mapping with an inlet's changes."""
    given = defaults()
    own_rules = settings.get("rules", {})
    return {
        "namespaces": settings.get("namespaces", {}),
        "event_types": given["event_types"] | settings.get("event_types", {}),
        **{section: _merged(given[section], own_rules.get(section, [])) for section in SECTIONS},
    }


def compile_section(pairs: Pairs, fields: Mapping[str, Field]) -> CompiledMapping:
    """Compile rules for a schema; those whose target it does not have are left out."""
    mapping, _ = compile_mapping(
        [Rule("expression", source, destination) for destination, source in pairs], fields
    )
    return mapping


def _merged(given: Pairs, own: Pairs) -> Pairs:
    rules = dict((*given, *own))
    return [(destination, source) for destination, source in rules.items() if source]
