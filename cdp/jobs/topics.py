"""What jobs say on the queue."""

from typing import Final

RUN: Final = "jobs.run"
