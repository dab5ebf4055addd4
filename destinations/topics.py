"""Names of the work of destinations on the queue."""

from typing import Final

DELIVERIES_DUE: Final = "deliveries.due"
"""A batch waits to be sent: `activation`, `batch` (its id), `deliveries` (their ids),
`attempts` so far, and how often it was `deferred` without one."""

FILES_DUE: Final = "files.due"
"""The window of a file is over: `run`, `attempts`."""
