"""Refusals of destinations."""

from cdp.errors import Conflict


class ConnectionInUse(Conflict):
    """Something is still sent to the connection."""

    code = "connection_in_use"


class AlreadyActivated(Conflict):
    """The segment is sent to this connection already."""

    code = "already_activated"


class TestFailed(Conflict):
    """The destination did not take the test message."""

    code, title = "test_failed", "The destination does not answer as it should"
