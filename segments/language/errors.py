"""What is wrong with a rule, told so that its author can put it right."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at one place.

    `path` points into the tree (`/of/0/left`); a rule read from text also has a
    line and a column, from 1. `hint` is what was probably meant.
    """

    code: str
    detail: str
    path: str = ""
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    expected: tuple[str, ...] = ()


class RuleError(ValueError):
    """A rule that cannot be used, with every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = tuple(problems)
