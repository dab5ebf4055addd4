"""The table of functions in `docs/mapping.md`.

`python -m tests.datasets.mapping_page` writes it anew after a change that is meant.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from orjson import dumps

from cdp.datasets.mapping.convert import written
from cdp.datasets.mapping.expression import FUNCTIONS

FILE = Path(__file__).parents[2] / "docs" / "mapping.md"
BEGIN = "<!-- functions: written by `python -m tests.datasets.mapping_page` -->\n"
END = "<!-- end of functions -->\n"
_LONGEST = 90


def page() -> str:
    """Return the page as it should be."""
    before, _, rest = FILE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    return before + BEGIN + _tables() + END + after


def _tables() -> str:
    areas = defaultdict(list)
    for function in FUNCTIONS.values():
        areas[function.area].append(function)
    return "".join(
        f"\n### {area.capitalize()}\n\n| function | what it does | example |\n|---|---|---|\n"
        + "".join(
            f"| `{each.signature}` | {_cell(each.description)} | {_example(each.example)} |\n"
            for each in sorted(functions, key=lambda each: each.name.lower())
        )
        for area, functions in sorted(areas.items())
    )


def _example(example: tuple[str, Any] | None) -> str:
    if example is None:
        return ""
    text, result = example
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}...)"
    return f"`{_cell(shown)}` gives `{_cell(_shown(result))}`"


def _shown(value: Any) -> str:
    return dumps(written(value)).decode()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(page())
