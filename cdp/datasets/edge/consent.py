"""What a person has chosen, in the two versions of Adobe's standard."""

from collections.abc import Sequence
from typing import Any, Final

from cdp.datasets.edge.request import EdgeInvalid

_GENERAL: Final = {"in": "y", "out": "n"}


def consents_of(given: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """Return the choices as XDM `consents`, and the general one as the cookie has it.

    Version 1.0 knows only `{"general": "in"}`; 2.0 is the XDM form itself. Raises
    `EdgeInvalid`.

    >>> consents_of([{"standard": "Adobe", "version": "1.0", "value": {"general": "out"}}])
    ({'collect': {'val': 'n'}}, 'out')
    """
    consents: dict[str, Any] = {}
    for choice in given:
        value = choice.get("value")
        if choice.get("standard") != "Adobe" or not isinstance(value, dict):
            raise EdgeInvalid("Only choices of the standard 'Adobe' are understood.")
        consents |= _of_first_version(value) if choice.get("version") == "1.0" else value
    if not consents:
        raise EdgeInvalid("There is no choice in 'consent'.")
    collect = consents.get("collect")
    refused = isinstance(collect, dict) and collect.get("val") == "n"
    return consents, "out" if refused else "in"


def _of_first_version(value: dict[str, Any]) -> dict[str, Any]:
    general = value.get("general")
    if general not in _GENERAL:
        raise EdgeInvalid("'general' is 'in' or 'out'.")
    return {"collect": {"val": _GENERAL[str(general)]}}
