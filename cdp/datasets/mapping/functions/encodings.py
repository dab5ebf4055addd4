"""Functions that hash, encode, take addresses apart and make ids."""

import hashlib
import uuid
import zlib
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote_plus, unquote_plus, urlsplit

from orjson import JSONDecodeError, loads

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.registry import function, text_of

hash_function = partial(function, area="hash")
url_function = partial(function, area="address")


def _declare_hash(name: str, example: str) -> None:
    @hash_function(
        f"{name}(text)",
        f"Return the {name.upper()} hash of a text in UTF-8, in hexadecimal.",
        example=(f'{name}("a")', example),
    )
    def body(text: Any) -> str:
        return hashlib.new(name, text_of(text).encode(), usedforsecurity=False).hexdigest()


_declare_hash("md5", "0cc175b9c0f1b6a831c399e269772661")
_declare_hash("sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8")
_declare_hash("sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
_declare_hash(
    "sha512",
    "1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53"
    "02860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75",
)


@hash_function(
    "crc32(text)",
    "Return the CRC-32 checksum of a text, in hexadecimal.",
    example=('crc32("a")', "e8b7be43"),
)
def crc32(text: Any) -> str:
    return f"{zlib.crc32(text_of(text).encode()):08x}"


@url_function(
    "get_url_protocol(url)",
    "Return an address's protocol.",
    example=('get_url_protocol("https://luma.example/a")', "https"),
)
def get_url_protocol(url: Any) -> str | None:
    return _parts(url).scheme or None


@url_function(
    "get_url_host(url)",
    "Return an address's host.",
    example=('get_url_host("https://luma.example/a")', "luma.example"),
)
def get_url_host(url: Any) -> str | None:
    return _parts(url).hostname


@url_function(
    "get_url_port(url)",
    "Return an address's port; -1 if it says none.",
    example=('get_url_port("https://luma.example:8443/a")', 8443),
)
def get_url_port(url: Any) -> int:
    try:
        return _parts(url).port or -1
    except ValueError as error:
        raise RowInvalid("The address has no valid port.") from error


@url_function(
    "get_url_path(url)",
    "Return an address's path.",
    example=('get_url_path("https://luma.example/a/b?c=1")', "/a/b"),
)
def get_url_path(url: Any) -> str:
    return _parts(url).path


@url_function(
    "get_url_query_str(url)",
    "Return the parameters of an address as an object.",
    example=('get_url_query_str("https://luma.example/?a=1&b=x%20y")', {"a": "1", "b": "x y"}),
)
def get_url_query_str(url: Any) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in _parts(url).query.split("&") if pair)
    return {unquote_plus(key): unquote_plus(value) for key, _, value in pairs}


@url_function(
    "get_url_encoded(text)",
    "Write a text as it stands in an address.",
    example=('get_url_encoded("a b&c")', "a+b%26c"),
)
def get_url_encoded(text: Any) -> str:
    return quote_plus(text_of(text))


@url_function(
    "get_url_decoded(text)",
    "Read a text as it stands in an address.",
    example=('get_url_decoded("a+b%26c")', "a b&c"),
)
def get_url_decoded(text: Any) -> str:
    return unquote_plus(text_of(text))


@function(
    "json_to_object(text)",
    "Read JSON from a text.",
    area="object",
    example=("json_to_object('{\"a\": [1]}')", {"a": [1]}),
)
def json_to_object(text: Any) -> Any:
    try:
        return loads(text_of(text))
    except JSONDecodeError as error:
        raise RowInvalid("The text is not JSON.") from error


@function("uuid()", "Make a random id; a row that is read again gets another.", area="id",
          also=("guid",))  # fmt: skip
def make_uuid() -> str:
    return str(uuid.uuid4())


@function(
    "fpid_to_ecid(text)",
    "Turn an id of your own into an ECID of 38 digits, always the same one.",
    area="id",
    example=('fpid_to_ecid("a")', "72991393174224811259034529651209399846"),
)
def fpid_to_ecid(text: Any) -> str:
    digest = hashlib.sha256(text_of(text).encode()).digest()
    halves = (int.from_bytes(digest[start : start + 8]) >> 1 for start in (0, 8))
    return "".join(f"{half:019d}" for half in halves)


def _parts(url: Any) -> SplitResult:
    try:
        return urlsplit(text_of(url))
    except ValueError as error:
        raise RowInvalid("The text is no address.") from error
