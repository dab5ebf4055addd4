"""How the story is told: each step is shown as it happens, and must happen."""

import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

Seen = TypeVar("Seen")


class StepMissed(Exception):
    """Something the story promises did not happen in time."""


class Teller:
    """Prints steps, waits for what the platform does by itself, and says how long it took."""

    def __init__(self, console: Console, patience: float = 60) -> None:
        self.console = console
        self.patience = patience
        self.steps = 0

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def done(self, text: str) -> None:
        """Say that a step has happened."""
        self.steps += 1
        self.console.print(f"  [green]✓[/green] {text}", highlight=False)

    def wait(self, text: str, look: Callable[[], Seen | None]) -> Seen:
        """Look again and again until there is something to see. Raises `StepMissed`."""
        began = time.monotonic()
        while time.monotonic() - began < self.patience:
            if seen := look():
                self.done(f"{text} [dim]({time.monotonic() - began:.1f} s)[/dim]")
                return seen
            time.sleep(0.05)
        raise StepMissed(f"Not within {self.patience:.0f} s: {text}")

    def check(self, text: str, holds: bool) -> None:
        """Say that something is so. Raises `StepMissed` if it is not."""
        if not holds:
            raise StepMissed(f"Not so: {text}")
        self.done(text)
