"""The routes of the project, as its URL configuration has them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from cdp.api.permissions import permission_of
from cdp.api.views import OperatorViewSet, OrganizationViewSet, SandboxViewSet, ScopedViewSet

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
CONSOLE = "/admin/"


@dataclass(frozen=True)
class Operation:
    """One method of one route."""

    method: str
    template: str
    view: Any
    action: str

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def parameters(self) -> list[str]:
        """The names of what the path holds."""
        return re.findall(r"\{(\w+)\}", self.template)

    @property
    def named(self) -> str:
        """The part of the path that names an object; empty if none does."""
        return self.template[: self.template.rfind("}") + 1] if self.parameters else ""

    @property
    def permission(self) -> str:
        """What the route needs; empty for a view that is not one of the API's own."""
        return permission_of(self.view, self.action) if self.is_scoped else ""

    @property
    def is_scoped(self) -> bool:
        """Whether the view is one of the API's own."""
        return isinstance(self.view, type) and issubclass(self.view, ScopedViewSet)

    @property
    def belongs_to(self) -> str:
        """Whose rows the view shows."""
        for base, owner in (
            (SandboxViewSet, "sandbox"),
            (OrganizationViewSet, "organization"),
            (OperatorViewSet, "operators"),
        ):
            if self.is_scoped and issubclass(self.view, base):
                return owner
        return "nobody"

    def path(self, value: str | None = None, **values: str) -> str:
        """Return the path with its parameters filled in, all with `value` or each by name."""
        filled = dict.fromkeys(self.parameters, value) if value else values
        return self.template.format(**filled)


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation, except those of the console."""
    return tuple(
        operation
        for template, callback in _flat(get_resolver().url_patterns, "/")
        if not template.startswith(CONSOLE)
        for operation in _operations_of(template, callback)
    )


def _flat(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        template = re.sub(r"/{2,}", "/", prefix + _template(str(pattern.pattern)))
        if isinstance(pattern, URLResolver):
            yield from _flat(pattern.url_patterns, template)
        elif isinstance(pattern, URLPattern):
            yield template, pattern.callback


def _template(pattern: str) -> str:
    named = _PARAMETER.sub(lambda match: f"{{{match[1] or match[2]}}}", pattern)
    named = re.sub(r"\(\?:[^()]*\)\?", "", named)  # what may be left out is left out
    named = re.sub(r"\[([^\]])[^\]]*\](?![+*])", r"\1", named)  # of a choice, the first
    return re.sub(r"/+[?*+]", "/", named.strip("^$").replace("\\Z", "").replace("\\", ""))


def _operations_of(template: str, callback: Any) -> Iterator[Operation]:
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", callback)
    actions = getattr(callback, "actions", None)
    if actions is None:
        yield Operation("ANY", template, view, "")
        return
    for method, action in actions.items():
        if method != "head":  # the framework adds it to every GET, at the first request
            yield Operation(method.upper(), template, view, action)
