"""Keys of SSH: the account's own, and the one by which a server is known."""

from io import StringIO
from typing import Final

from paramiko import (
    BadHostKeyException,
    ECDSAKey,
    Ed25519Key,
    MissingHostKeyPolicy,
    PKey,
    RSAKey,
    SSHClient,
    SSHException,
)

_KINDS: Final[tuple[type[PKey], ...]] = (Ed25519Key, ECDSAKey, RSAKey)


def private_key(text: str, password: str | None) -> PKey:
    """Read a private key, with its password if it has one. Raises `ValueError`."""
    for kind in _KINDS:
        try:
            return kind.from_private_key(StringIO(text), password=password)
        except (SSHException, ValueError):
            continue  # of another kind
    raise ValueError("'private_key' is no key that can be read; its password is 'password'.")


class HostKey(MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko has no types
    """Trusts the server of one public key, or whichever answers if none was given."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted.split()

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        if self._wanted and key.get_base64() not in self._wanted:
            raise BadHostKeyException(hostname, key, key)
