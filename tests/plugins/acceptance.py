"""Which demands the tests show: each is a line of `tests/acceptance.toml`.

Loaded with `-p tests.plugins.acceptance`. A mark that names no line fails the
collection, so that a misspelt id is not taken for a demand that nobody shows.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CATALOGUE = Path(__file__).parent.parent / "acceptance.toml"
PASSED, FAILED, MISSING = "passed", "failed", "missing"


@dataclass(frozen=True)
class Catalogue:
    """The demands by id, and the guides they come from by letter."""

    guides: Mapping[str, str]
    lines: Mapping[str, str]

    @classmethod
    def read(cls, path: Path = CATALOGUE) -> "Catalogue":
        """Read the file."""
        content = tomllib.loads(path.read_text())
        return cls(content["guides"], content["lines"])


@dataclass
class Tally:
    """Collects which tests show which line, and how they ended."""

    catalogue: Catalogue = field(default_factory=Catalogue.read)
    marked: dict[str, set[str]] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def collected(self, test: str, ids: set[str]) -> None:
        """Note that a test shows lines. Raises `LookupError` for one that does not exist."""
        unknown = sorted(ids - self.catalogue.lines.keys())
        if unknown:
            raise LookupError(f"{test} shows {', '.join(unknown)}, which {CATALOGUE.name} lacks")
        for line in ids:
            self.marked.setdefault(line, set()).add(test)

    def ended(self, test: str, phase: str, outcome: str) -> None:
        """Note how a phase of a test ended; a line is shown by calls, spoilt by any failure."""
        if outcome == FAILED:
            self.failed.add(test)
        elif outcome == PASSED and phase == "call":
            self.passed.add(test)

    def state_of(self, line: str) -> str:
        """Return whether a line is shown: all of its tests that ran passed, and one did run."""
        tests = self.marked.get(line, set())
        if tests & self.failed:
            return FAILED
        return PASSED if tests & self.passed else MISSING

    def report(self) -> Iterator[str]:
        """Yield a line for each demand, then the totals of each guide."""
        states = {line: self.state_of(line) for line in self.catalogue.lines}
        for line, state in states.items():
            yield f"{line} {state}"
        for guide, title in self.catalogue.guides.items():
            own = [state for line, state in states.items() if line.startswith(f"{guide}-")]
            counts = ", ".join(f"{own.count(each)} {each}" for each in (PASSED, FAILED, MISSING))
            yield f"{guide}: {counts} of {len(own)} ({title})"


tally = Tally()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note what each test shows, before others deselect tests."""
    for item in items:
        ids = {line for mark in item.iter_markers("acceptance") for line in mark.args}
        try:
            tally.collected(item.nodeid, ids)
        except LookupError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how a phase of a test ended."""
    tally.ended(report.nodeid, report.when, report.outcome)
