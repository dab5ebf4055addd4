"""Registries through which an upper app adds to a lower app's answer.

Apps register in their `apps.py`; the lower app asks for what is there.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer", bound=Callable[..., Any])


class Registry(Generic[Answer]):
    """Functions by name, in the order in which they were added."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._entries: dict[str, Answer] = {}

    def register(self, name: str, answer: Answer) -> None:
        """Add an entry. Raises `ValueError` if the name is taken."""
        if name in self._entries:
            raise ValueError(f"There is a {self._noun} '{name}' already")
        self._entries[name] = answer

    def entries(self) -> Mapping[str, Answer]:
        """Return what has been registered, by name."""
        return dict(self._entries)


# (sandbox, profile ids) -> the extra part of each profile's look-up
profile_facets: Registry[Callable[..., Mapping[int, Any]]] = Registry("profile facet")
# (sandbox, the request as understood) -> handles of the edge answer
interact_answers: Registry[Callable[..., Any]] = Registry("interact answer")
# (sandbox, inlet id) -> whether there is such an inlet, for the write keys that open it
inlet_lookups: Registry[Callable[..., bool]] = Registry("inlet look-up")
