"""How a statement on many rows by number says whose they are."""

from typing import Final

OWN: Final = "sandbox_id + 0 = %(sandbox)s"
"""The sandbox as a condition that no index answers.

The rows are found by their numbers. If an index of the sandbox could be used,
PostgreSQL would take it whenever it believes the sandbox to be small, as it does of
one that has grown since the last ANALYZE, and read all of it.
"""
