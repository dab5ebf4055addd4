"""Kill everything, many times, while events come in, and count what arrived.

`python -m tests.faults` starts the platform's own processes on throw-away data, with
the process manager that `make up` uses, and talks to it over HTTP alone.
"""
