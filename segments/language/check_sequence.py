"""Whether the steps of a sequence can follow each other."""

from collections.abc import Iterator

from segments.language.ast import Sequence, Step
from segments.language.errors import Problem

MAX_STEPS = 20
MAX_TIMES = 100
MAX_GAP = 3_650 * 86_400_000


def step_problems(node: Sequence) -> Iterator[Problem]:
    """Yield what is wrong with the steps, apart from their conditions."""
    if len(node.steps) > MAX_STEPS:
        yield Problem("too_many_steps", f"A sequence has at most {MAX_STEPS} steps.", "/steps")
    asked = [number for number, step in enumerate(node.steps) if not step.excludes]
    if not asked:
        yield Problem("only_exclusions", "A sequence needs a step that must happen.", "/steps")
        return
    for number, step in enumerate(node.steps):
        at = f"/steps/{number}"
        for gap in (step.within, step.after):
            if gap and not 0 < gap.millis <= MAX_GAP:
                yield Problem("too_far", "A step follows within 3,650 days at most.", at)
        if not 0 <= step.count <= MAX_TIMES or (step.test == ">=" and step.count == 0):
            yield Problem("bad_count", f"A step counts 1 to {MAX_TIMES} events.", f"{at}/count")
        if step.excludes:
            yield from _exclusion(step, asked[0] < number < asked[-1], at)
        elif number == asked[0] and (step.after or (step.within and step.count == 1)):
            detail = "The first step follows nothing; only several events can lie within a time."
            yield Problem("first_step", detail, at)
        elif step.after and step.within and step.after.millis > step.within.millis:
            yield Problem("empty_window", "At least is longer than at most.", at)


def _exclusion(step: Step, between: bool, at: str) -> Iterator[Problem]:
    if step.after:
        yield Problem("exclusion_after", "An exclusion has no earliest time.", f"{at}/after")
    if step.within and between:
        detail = "Between two steps an exclusion holds the whole time; only before the first and after the last step it may be limited."
        yield Problem("exclusion_within", detail, f"{at}/within")
