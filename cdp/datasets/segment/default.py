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
from cdp.errors import FieldError
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


def check_settings(
    settings: Mapping[str, Any], schemas: list[Mapping[str, Field]]
) -> list[FieldError]:
    """Say what is wrong with an inlet's changes to the mapping; nothing if they hold."""
    errors = _unknown("settings", settings, ("namespaces", "event_types", "rules"))
    rules = settings.get("rules", {})
    namespaces = settings.get("namespaces", {})
    errors += _unknown("settings.rules", rules, SECTIONS)
    errors += _unknown("settings.namespaces", namespaces, NAMESPACES)
    for section in set(rules) & set(SECTIONS):
        for index, pair in enumerate(rules[section]):
            path = f"settings.rules.{section}.{index}"
            errors += _check_pair(path, pair, schemas)
    return errors


def _check_pair(path: str, pair: Any, schemas: list[Mapping[str, Field]]) -> list[FieldError]:
    is_pair = isinstance(pair, list) and len(pair) == 2
    if not is_pair or not all(isinstance(part, str) for part in pair):
        detail = "A rule is a pair of texts: the destination and the expression."
        return [FieldError(path=path, code="not_a_pair", detail=detail)]
    destination, source = pair
    if not source:
        return []
    found: list[FieldError] = []
    for fields in schemas:
        _, errors = compile_mapping([Rule("expression", source, destination)], fields)
        found = [error for error in errors if error["code"] == "invalid"]
        if not found:
            return []
    return [FieldError(path=path, code=e["code"], detail=e["detail"]) for e in found]


def _merged(given: Pairs, own: Pairs) -> Pairs:
    rules = dict((*given, *own))
    return [(destination, source) for destination, source in rules.items() if source]


def _unknown(path: str, given: Mapping[str, Any], known: tuple[str, ...]) -> list[FieldError]:
    if not isinstance(given, dict):
        return [FieldError(path=path, code="not_an_object", detail="This is an object.")]
    return [
        FieldError(
            path=f"{path}.{name}",
            code="unknown_field",
            detail=f"There is no '{name}'; use {', '.join(known)}.",
        )
        for name in given
        if name not in known
    ]
