"""Whether an inlet's settings can be used, before anything comes in with them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cdp.datasets.mapping.rules import Rule, compile_mapping
from cdp.datasets.segment.default import NAMESPACES, SECTIONS
from cdp.errors import FieldError
from cdp.schemas.registry.fields import Field

Settings = Mapping[str, Any]
Schemas = list[Mapping[str, Field]]
Check = Callable[[Settings, Schemas], list[FieldError]]
_EDGE: Final = ("org_id", "origins", "rules")


def no_settings(settings: Settings, schemas: Schemas) -> list[FieldError]:
    """Say that there is nothing to set."""
    return _unknown("settings", settings, ())


def check_edge_settings(settings: Settings, schemas: Schemas) -> list[FieldError]:
    """Say what is wrong with the settings of a Web SDK inlet; nothing if they hold."""
    errors = _unknown("settings", settings, _EDGE)
    org_id, origins = settings.get("org_id"), settings.get("origins", [])
    if not isinstance(org_id, str) or "@" not in org_id:
        detail = "The id is of the form NAME@CdpOrg, as the pages configure it."
        errors.append(FieldError(path="settings.org_id", code="invalid", detail=detail))
    if not isinstance(origins, list) or not all(isinstance(each, str) for each in origins):
        detail = "Origins are a list of texts such as https://luma.example."
        errors.append(FieldError(path="settings.origins", code="invalid", detail=detail))
    return errors + _check_rules("settings.rules", settings.get("rules", []), schemas)


def check_settings(settings: Settings, schemas: Schemas) -> list[FieldError]:
    """Say what is wrong with an inlet's changes to the mapping; nothing if they hold."""
    errors = _unknown("settings", settings, ("namespaces", "event_types", "rules"))
    rules = settings.get("rules", {})
    namespaces = settings.get("namespaces", {})
    errors += _unknown("settings.rules", rules, SECTIONS)
    errors += _check_texts("settings.namespaces", namespaces)
    if isinstance(namespaces, dict):
        errors += _unknown("settings.namespaces", namespaces, NAMESPACES)
    errors += _check_texts("settings.event_types", settings.get("event_types", {}))
    for section in SECTIONS:
        if isinstance(rules, dict) and section in rules:
            errors += _check_rules(f"settings.rules.{section}", rules[section], schemas)
    return errors


def _check_texts(path: str, given: Any) -> list[FieldError]:
    if not isinstance(given, dict):
        return [FieldError(path=path, code="not_an_object", detail="This is an object.")]
    return [
        FieldError(path=f"{path}.{name}", code="not_a_text", detail="This is a text.")
        for name, value in given.items()
        if not isinstance(value, str)
    ]


def _check_rules(path: str, pairs: Any, schemas: Schemas) -> list[FieldError]:
    if not isinstance(pairs, list):
        return [FieldError(path=path, code="not_a_list", detail="Rules are a list of pairs.")]
    return [
        error
        for index, pair in enumerate(pairs)
        for error in _check_pair(f"{path}.{index}", pair, schemas)
    ]


def _check_pair(path: str, pair: Any, schemas: Schemas) -> list[FieldError]:
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
