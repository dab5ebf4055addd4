"""An SFTP server that shows one folder, to one user with a password or a key."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncssh

USER, PASSWORD = "luma", "open sesame"


@dataclass(frozen=True, slots=True)
class Sftp:
    """Where the server is, the public key that it is known by, and the user's own key."""

    port: int
    host_key: str
    private_key: str

    @property
    def url(self) -> str:
        """Return the server's URL."""
        return f"sftp://{USER}@127.0.0.1:{self.port}"


class _Doorman(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey, guests: list[asyncssh.SSHServerConnection]) -> None:
        self._key, self._guests = key, guests

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._guests.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._key


@contextmanager
def sftp_server(folder: Path) -> Iterator[Sftp]:
    """Run the server while the block runs."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    own_key = asyncssh.generate_private_key("ssh-ed25519")
    guests: list[asyncssh.SSHServerConnection] = []
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host_key],
            server_factory=partial(_Doorman, own_key.convert_to_public(), guests),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=bytes(folder)),
        )

    async def stop() -> None:
        acceptor.close()
        for guest in guests:
            guest.abort()
        for guest in guests:
            await guest.wait_closed()
        await acceptor.wait_closed()

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(20)
    try:
        yield Sftp(
            acceptor.get_port(),
            host_key.export_public_key().decode().strip(),
            own_key.export_private_key().decode(),
        )
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
