"""The one form in which every benchmark reports."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement. `reference` is what the thing named in `against` reached, in the same unit."""

    bench: str
    value: float
    unit: str
    against: str
    reference: float
    size: str

    @property
    def ratio(self) -> float:
        """Return ours / reference."""
        return self.value / self.reference if self.reference else float("nan")


def progress(text: str) -> None:
    """Tell the person who waits; standard output is for the lines."""
    print(text, file=sys.stderr, flush=True)


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", action="store_true", help="one JSON object a line")
    made.add_argument("--small", action="store_true", help="a quick look, for a shared machine")
    return made


def report(lines: Iterator[Line], *, as_json: bool) -> None:
    """Print each line as soon as it is measured."""
    show: Callable[[Line], str] = _json if as_json else _text
    for line in lines:
        print(show(line), flush=True)


def _json(line: Line) -> str:
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(line).items()}
    return json.dumps({**rounded, "ratio": round(line.ratio, 4)})


def _text(line: Line) -> str:
    return (
        f"{line.bench:<24} {line.value:>12,.2f} {line.unit:<10} {line.ratio:>8.2f} x {line.against}"
        f" ({line.reference:,.2f})  {line.size}"
    )
