"""What is wrong with a resource, and by which rule."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule at one place.

    `rule` is for programs and never changes its spelling; `path` is the dotted
    field path, empty where the whole resource is meant; `detail` says what to do.
    """

    rule: str
    detail: str
    path: str = ""


class Refused(ValueError):
    """A resource or a change breaks at least one rule of the registry."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = problems


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise `Refused` with all of them, if there are any."""
    found = tuple(problems)
    if found:
        raise Refused(*found)
