"""Which hosts a source may be on: never one of our own network."""

from django.conf import settings

from cdp.datasets.sources.base import SourceError
from cdp.outgoing.addresses import AddressRefused, reachable


def address_of(host: str, port: int) -> str:
    """Return the address to connect to, and to no other. Raises `SourceError`."""
    try:
        return reachable(host, port, frozenset(settings.ALLOWED_PRIVATE_HOSTS))
    except AddressRefused as error:
        raise SourceError(str(error), permanent=True) from error
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{host} has no address: {error}") from error
