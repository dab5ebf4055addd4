"""What this app refuses, beside the families of `cdp.errors`."""

from collections.abc import Iterable, Mapping
from typing import Any

from cdp.errors import Conflict, FieldError, Forbidden, Invalid
from cdp.schemas.registry.problems import Problem


class StandardResource(Forbidden):
    """The resource is part of the catalogue or of a published standard, so nobody edits it."""

    code = "standard_resource"
    title = "Standard resources are read-only"


class DefinitionRefused(Invalid):
    """A document breaks rules of the registry; `errors` names each rule and path."""

    code = "definition_refused"


class ChangeRefused(Conflict):
    """The schema is in use and may only grow; `errors` names each rule and path."""

    code = "incompatible_change"


class ResourceInUse(Conflict):
    """Something rests on this; `dependents` lists what."""

    code = "in_use"

    def __init__(self, detail: str, dependents: Iterable[Mapping[str, Any]]) -> None:
        super().__init__(detail, dependents=list(dependents))


class TooManyDescriptors(Conflict):
    """The sandbox has as many descriptors as it may have."""

    code = "too_many_descriptors"


def as_errors(problems: Iterable[Problem]) -> list[FieldError]:
    """Write broken rules as the API's errors."""
    return [FieldError(path=p.path, code=p.rule, detail=p.detail) for p in problems]


def definition_refused(problems: Iterable[Problem]) -> DefinitionRefused:
    """Make the refusal of a document from the rules that it breaks."""
    errors = as_errors(problems)
    return DefinitionRefused(_summary(errors), errors=errors)


def change_refused(problems: Iterable[Problem]) -> ChangeRefused:
    """Make the refusal of a change from the rules that it breaks."""
    errors = as_errors(problems)
    return ChangeRefused(_summary(errors), errors=errors)


def _summary(errors: list[FieldError]) -> str:
    if len(errors) == 1:
        return errors[0]["detail"]
    return f"{errors[0]['detail']} There are {len(errors)} problems; see `errors`."
