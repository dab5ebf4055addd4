"""Whose fault a failure is: the rows', or nobody's."""

from typing import Final

from django.db import InterfaceError, OperationalError

from cdp.errors import Unavailable

# The classes of PostgreSQL's codes that pass by themselves: lost connections, full resources, a
# server that stops or starts, transactions that met, locks that were held.
_PASSES: Final = {"08", "40", "53", "55", "57"}
_TOO_SLOW: Final = "57014"  # a statement over its time limit will be so again


def is_nobodys(error: BaseException) -> bool:
    """Tell whether a store was away, so that the same work may succeed later as it is.

    >>> is_nobodys(Unavailable("ClickHouse does not answer."))
    True
    >>> is_nobodys(ValueError("poison"))
    False
    """
    if isinstance(error, InterfaceError | Unavailable):
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "pgcode", None)  # none if the connection broke
    return code is None or (code[:2] in _PASSES and code != _TOO_SLOW)
