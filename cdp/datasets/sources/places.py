"""URLs of folders, taken apart and checked. Connects to nothing."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from cdp.datasets.sources.ssh import private_key
from cdp.outgoing.accounts import Account
from cdp.outgoing.client import UrlRefused, check_url

LOCAL: Final = "file"
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,221}")
_AZURE_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder on a host, or in a bucket."""

    protocol: str
    host: str
    port: int | None
    user: str | None
    folder: str


def place_of(url: str) -> Place:
    """Take a URL apart. Raises `ValueError` with what to write instead."""
    parts = urlsplit(url)
    if "::" in url or not parts.scheme:
        raise ValueError("Give a URL such as s3://bucket/folder or sftp://user@host/folder.")
    if parts.scheme not in settings.SOURCE_PROTOCOLS:
        allowed = ", ".join(settings.SOURCE_PROTOCOLS)
        raise ValueError(f"This installation reads files by {allowed}, not by {parts.scheme}.")
    if parts.password:
        raise ValueError("Put the password into 'password', where it is kept encrypted.")
    folder = "/".join(part for part in parts.path.split("/") if part)
    if any(part in (".", "..") for part in folder.split("/")):
        raise ValueError("Leave '.' and '..' out of the folder.")
    if parts.scheme != LOCAL and not parts.netloc:
        raise ValueError(f"Name a host or bucket: {parts.scheme}://name/folder.")
    if parts.scheme in ("s3", "gs", "abfs") and not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"'{parts.netloc}' is no name of a bucket or container.")
    host = parts.netloc if parts.scheme != "sftp" else str(parts.hostname or "")
    return Place(parts.scheme, host, parts.port, parts.username, folder)


def check_account(account: Account) -> None:
    """Raise `ValueError` if what the account says cannot work together."""
    place = place_of(str(account.get("url")))
    endpoint = account.get("endpoint_url")
    if endpoint and place.protocol != "s3":
        raise ValueError("'endpoint_url' is for s3:// only.")
    if endpoint:
        try:
            check_url(str(endpoint))
        except UrlRefused as error:
            raise ValueError(f"endpoint_url: {error}") from error
    if place.protocol == "s3" and bool(account.get("key")) != bool(account.get("secret")):
        raise ValueError("'key' and 'secret' belong together.")
    if place.protocol == "gs" and account.get("token"):
        _check_service_account(str(account.get("token")))
    if place.protocol == "abfs" and not _AZURE_ACCOUNT.fullmatch(str(account.get("key", ""))):
        raise ValueError("Give the name of the storage account as 'key'.")
    if account.get("private_key"):
        private_key(str(account.get("private_key")), account.get("password"))


def _check_service_account(token: str) -> None:
    """Other kinds of Google's keys name files and servers of their own: they are not for tenants."""
    try:
        key = orjson.loads(token)
    except orjson.JSONDecodeError:
        key = None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        raise ValueError("Give the JSON key of a service account as 'token'.")
