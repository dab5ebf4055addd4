"""An S3 server with one bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET, KEY, SECRET = "luma", "AKIALUMA", "hush-hush-hush"


@dataclass(frozen=True, slots=True)
class S3:
    """Where the server is, and a client to put objects there."""

    client: Any
    settings: dict[str, str]

    def put(self, key: str, body: bytes) -> None:
        """Store an object."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)


@contextmanager
def s3_server() -> Iterator[S3]:
    """Run the server while the block runs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=BUCKET)
        yield S3(client, {"endpoint_url": endpoint, "key": KEY, "secret": SECRET})
        client.close()
    finally:
        server.stop()
