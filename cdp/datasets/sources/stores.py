"""File systems of sources, opened with the account's own rights and no others of ours."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import fsspec
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings
from fsspec import AbstractFileSystem
from paramiko import AuthenticationException, BadHostKeyException

from cdp.datasets.sources.base import SourceError
from cdp.datasets.sources.places import LOCAL, Place, place_of
from cdp.datasets.sources.reach import address_of
from cdp.datasets.sources.ssh import HostKey, private_key
from cdp.outgoing.accounts import Account

_PORTS: Final = {"https": 443, "http": 80}
_BLOCK: Final = 8 * 1024 * 1024
_CONNECT_SECONDS: Final = 15
_READ_SECONDS: Final = 60
_FOR_GOOD: Final = (PermissionError, AuthenticationException, BadHostKeyException)


@dataclass(frozen=True, slots=True)
class Store:
    """An open file system, and the folder in it that the connection is for."""

    files: AbstractFileSystem
    root: str
    fence: str = ""

    def below(self, path: str) -> str:
        """Return the whole path of what lies below the folder. Raises `SourceError`."""
        names = [part for part in path.split("/") if part]
        if any(name in (".", "..") for name in names):
            raise SourceError("A path stays inside the connection's folder.", permanent=True)
        whole = "/".join([self.root, *names])
        if not self.is_ours(whole):
            raise SourceError("This leads out of the sandbox's folder.", permanent=True)
        return whole

    def is_ours(self, path: str) -> bool:
        """Whether a path stays in the sandbox's folder when its links are followed."""
        return not self.fence or f"{os.path.realpath(path)}/".startswith(f"{self.fence}/")


@contextmanager
def opened(account: Account) -> Iterator[Store]:
    """Open the account's folder. Raises `SourceError`, also for what the block raises."""
    place = place_of(str(account.get("url")))
    with translated():
        if place.protocol == LOCAL:
            fence = settings.SOURCE_DIR.resolve() / account.folder
            yield Store(fsspec.filesystem(LOCAL), str(fence / place.folder), str(fence))
            return
        try:
            # A file system is otherwise kept for ever, with the secrets it was made with.
            files = fsspec.filesystem(
                place.protocol, skip_instance_cache=True, **_OPTIONS[place.protocol](account, place)
            )
        except ImportError as error:
            detail = (
                f"This installation has no driver for {place.protocol}://. Install it with "
                "`pip install 'cdp[clouds]'`."
            )
            raise SourceError(detail, permanent=True) from error
        if place.protocol != "sftp":
            yield Store(files, f"{place.host}/{place.folder}".rstrip("/"))
            return
        files.ftp.get_channel().settimeout(_READ_SECONDS)
        try:
            yield Store(files, f"/{place.folder}")
        finally:
            files.client.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the libraries of stores raise into `SourceError`."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # each store's library raises its own
        detail = str(error).partition("\n")[0][:300] or type(error).__name__
        if isinstance(error, FileNotFoundError):
            # The path of a local file is nobody's business.
            detail = "There is no such folder or file."
        raise SourceError(detail, permanent=isinstance(error, _FOR_GOOD)) from error


class _GuardedResolver(AbstractResolver):
    """Finds only addresses that may be spoken to, at each connection anew."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        try:
            address = await loop.run_in_executor(None, address_of, host, port)
        except SourceError as error:
            raise OSError(error.detail) from error
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def _s3(account: Account, place: Place) -> dict[str, Any]:
    endpoint = account.get("endpoint_url")
    if endpoint:
        parts = urlsplit(str(endpoint))
        # An address that is written as a number is never looked up, so it is checked here.
        address_of(str(parts.hostname), parts.port or _PORTS.get(parts.scheme, 443))
    names = {"key": "key", "secret": "secret", "token": "token", "endpoint_url": "endpoint_url"}
    region = account.get("region")
    return {
        **_given(account, names),
        # Without a key a library looks for one of this machine: that one is ours.
        "anon": not account.get("key"),
        "client_kwargs": {"region_name": region} if region else {},
        "config_kwargs": {
            "connector_args": {"resolver": _GuardedResolver()},
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            "retries": {"max_attempts": 3},
        },
        "default_block_size": _BLOCK,
        "use_listings_cache": False,
    }


def _gcs(account: Account, place: Place) -> dict[str, Any]:
    token = account.get("token")
    key = (
        {**orjson.loads(token), "token_uri": "https://oauth2.googleapis.com/token"} if token else 0
    )
    return {"token": key or "anon", "use_listings_cache": False}


def _azure(account: Account, place: Place) -> dict[str, Any]:
    names = {"key": "account_name", "secret": "account_key", "token": "sas_token"}
    given = _given(account, names)
    return {**given, "anon": len(given) == 1, "use_listings_cache": False}


def _sftp(account: Account, place: Place) -> dict[str, Any]:
    port = place.port or 22
    key = account.get("private_key")
    return {
        "host": address_of(place.host, port),
        "port": port,
        "username": place.user,
        "password": account.get("password"),
        "pkey": private_key(str(key), account.get("password")) if key else None,
        "host_key_policy": HostKey(str(account.get("host_key", ""))),
        "look_for_keys": False,
        "allow_agent": False,
        "timeout": _CONNECT_SECONDS,
        "banner_timeout": _CONNECT_SECONDS,
        "auth_timeout": _CONNECT_SECONDS,
    }


def _given(account: Account, names: dict[str, str]) -> dict[str, Any]:
    return {theirs: account.get(ours) for ours, theirs in names.items() if account.get(ours)}


_OPTIONS: Final = {"s3": _s3, "gs": _gcs, "abfs": _azure, "sftp": _sftp}
