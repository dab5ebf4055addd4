"""Sequences as SQL over sorted arrays of times, in the same pass as everything else.

The same procedure as `chain.is_complete`: link by link, the latest place that fits.
"The latest of these at or before each of those" is a merge: both are sorted into
one array, the keys' values are carried forward, and the questions are picked out.
So the work grows with the number of events, whatever somebody sends.
"""

from collections.abc import Callable

from segments.language.ast import Condition
from segments.language.chain import Chain, Limit, Link

NEVER = -(2**62)
NOWHERE = f"(toInt64({NEVER}), toInt64({NEVER}))"

Step = Callable[[str], str]


class SequenceWriter:
    """Writes one chain; `step` names an expression, `times` gives the times of a kind of event."""

    def __init__(self, step: Step, times: Callable[[Condition], str]) -> None:
        self.step = step
        self.times = times

    def test(self, chain: Chain) -> str:
        """Return whether the chain can be laid, as SQL."""
        places = self._first(chain.links[0])
        for link in chain.links[1:]:
            places = self._next(link, places)
        if not chain.trailing:
            return f"notEmpty({places})"
        tests = [
            self._trailing(limit, places, n) for n, limit in enumerate(chain.trailing, start=2)
        ]
        arrays = ", ".join([places, *(array for array, _ in tests)])
        body = " AND ".join(test for _, test in tests)
        return f"arrayExists(z -> {body}, arrayZip({arrays}))"

    def _first(self, link: Link) -> str:
        times = self._moments(link.where)
        arrays, tests = [times], []
        for number, limit in enumerate(link.limits, start=2):
            arrays.append(self._crowd(limit, times))
            reach = f"< z.1 - {limit.reach}" if limit.reach is not None else f"= {NEVER}"
            tests.append(f"z.{number} {reach}")
        chosen = f"arrayZip({', '.join(arrays)})"
        if tests:
            chosen = f"arrayFilter(z -> {' AND '.join(tests)}, {chosen})"
        return self.step(f"arrayMap(z -> (z.1, z.1), {chosen})")

    def _next(self, link: Link, places: str) -> str:
        times = self._moments(link.where)
        since = "p.1" if link.begins else "p.2"
        keys = f"arrayMap(p -> p.1 + {link.after}, {places})"
        values = f"arrayMap(p -> (p.1, {since}), {places})"
        found = self.step(self._latest(keys, values, times, NOWHERE, inclusive=True))
        arrays, tests = [times, found], [f"z.2.1 != {NEVER}"]
        if link.within is not None:
            tests.append(f"z.1 - z.2.2 <= {link.within}")
        for number, limit in enumerate(link.limits, start=3):
            arrays.append(self._crowd(limit, times))
            tests.append(f"z.{number} <= z.2.1")
        chosen = f"arrayFilter(z -> {' AND '.join(tests)}, arrayZip({', '.join(arrays)}))"
        return self.step(f"arrayMap(z -> (z.1, z.2.2), {chosen})")

    def _moments(self, where: Condition) -> str:
        """Return the distinct times of a kind of event, in order."""
        return self.step(f"arraySort(arrayDistinct({self.times(where)}))")

    def _crowd(self, limit: Limit, times: str) -> str:
        """Return, for each time, where the event lies that would be one too many before it."""
        events = self.step(f"arraySort({self.times(limit.where)})")
        return self.step(self._crowded(events, limit.most, times))

    def _crowded(self, events: str, most: int, times: str) -> str:
        never = f"toInt64({NEVER})"
        moved = f"arrayConcat(arrayWithConstant({most}, {never}), {events})"
        values = f"arraySlice({moved}, 1, length({events}))" if most else events
        return self._latest(events, values, times, never, inclusive=False)

    def _trailing(self, limit: Limit, places: str, number: int) -> tuple[str, str]:
        """Return an array beside the places, and the test of its element."""
        back = self.step(f"arraySort(arrayMap(x -> -x, {self.times(limit.where)}))")
        ends = self.step(f"arraySort(arrayMap(p -> -p.1, {places}))")
        crowded = self.step(f"arrayReverse({self._crowded(back, limit.most, ends)})")
        test = f"= {NEVER}" if limit.reach is None else f"< -(z.1.1 + {limit.reach})"
        return crowded, f"z.{number} {test}"

    def _latest(self, keys: str, values: str, times: str, none: str, *, inclusive: bool) -> str:
        """Return, for each of the times, the value of the latest key at (or before) it."""
        key, question = (0, 1) if inclusive else (1, 0)
        merged = self.step(
            f"arraySort(arrayConcat(arrayMap((k, v) -> (toInt64(k), {key}, v), {keys}, {values}), "
            f"arrayMap(t -> (toInt64(t), {question}, {none}), {times})))"
        )
        kinds = f"arrayMap(m -> m.2, {merged})"
        filled = f"arrayFill((v, k) -> k = {key}, arrayMap(m -> m.3, {merged}), {kinds})"
        return f"arrayFilter((v, k) -> k = {question}, {filled}, {kinds})"
