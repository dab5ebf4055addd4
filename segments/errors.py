"""Refusals of segments."""

from collections.abc import Sequence

from cdp.errors import Conflict, FieldError, Invalid, Unavailable
from segments.language.errors import Problem


class RuleRefused(Invalid):
    """The rule cannot be read, names what does not exist, or would cost too much."""

    code = "rule_refused"

    def __init__(self, problems: Sequence[Problem], *, field: str = "rule") -> None:
        errors = [_field_error(problem, field) for problem in problems]
        first = problems[0].detail if problems else "It cannot be read."
        super().__init__(f"The rule is refused. {first}", errors=errors)


class SegmentInUse(Conflict):
    """Something else is built on the segment."""

    code = "segment_in_use"


class WrongState(Conflict):
    """The segment's state does not allow this step."""

    code = "wrong_state"


class SandboxBusy(Unavailable):
    """Another evaluation has its turn; try again in a moment."""

    code = "evaluation_busy"


def _field_error(problem: Problem, field: str) -> FieldError:
    path = f"{field}{problem.path}"
    error = FieldError(path=path, code=problem.code, detail=problem.detail)
    if problem.hint:
        error["hint"] = problem.hint
    if problem.line and problem.column:
        error["line"], error["column"] = problem.line, problem.column
    if problem.expected:
        error["expected"] = list(problem.expected)
    return error
