"""Join Arrow streams into one.

The engine hands out each block as a stream of its own: schema, batches, end. A
reader stops at the first end, so only the first schema and the last end may stay.
"""

import struct
from collections.abc import Iterable, Iterator

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_PREFIX = struct.Struct("<II")  # the continuation mark, then the length of the metadata


def join_streams(streams: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one stream with the batches of all, which must share a schema."""
    first = True
    for stream in streams:
        body = stream.removesuffix(END)
        if not first:
            _, length = _PREFIX.unpack_from(body)
            body = body[_PREFIX.size + length :]  # a schema message has no body
        first = False
        yield body
    if not first:
        yield END
