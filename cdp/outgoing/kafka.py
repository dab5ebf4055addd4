"""Sending to somebody else's Kafka-compatible brokers.

The addresses that a cluster advertises are the tenant's choice just like those that he
typed in, so every connection goes through our own look-up.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import uuid4

from django.conf import settings
from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from cdp.outgoing.accounts import Account, Configurable
from cdp.outgoing.addresses import AddressRefused, reachable

CONNECT_SECONDS: Final = 10
DELIVER_SECONDS: Final = 30
LARGEST_REQUEST: Final = 8 * 1024 * 1024
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SERVER: Final = r"^(?:[A-Za-z0-9._-]{1,255}|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$"
_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
_refused: dict[str, list[str]] = {}  # by producer: the look-ups that were refused


class BrokerAway(Exception):
    """The cluster did not take the messages; trying again may help."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; those of one key stay in order."""

    key: bytes
    value: bytes
    headers: Mapping[str, str]


class Cluster(Configurable):
    """A Kafka-compatible cluster and the topic there."""

    settings_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["bootstrap_servers", "topic"],
        "properties": {
            "bootstrap_servers": {
                "title": "Bootstrap servers",
                "type": "array",
                "minItems": 1,
                "maxItems": 10,
                "items": {"type": "string", "pattern": _SERVER},
            },
            "topic": {"title": "Topic", "type": "string", "pattern": "^[A-Za-z0-9._-]{1,249}$"},
            "tls": {"title": "Encrypt the connection", "type": "boolean", "default": True},
            "ca_certificate": {
                "title": "Certificate of the authority, in PEM, if it is not a public one",
                "type": "string",
                "maxLength": 100_000,
            },
            "mechanism": {"title": "SASL mechanism", "enum": list(MECHANISMS)},
            "username": {"title": "SASL user", "type": "string", "minLength": 1, "maxLength": 300},
            "password": {
                "title": "SASL password",
                "type": "string",
                "minLength": 1,
                "maxLength": 1_000,
                "writeOnly": True,
            },
            "protocol_version": {
                "title": "Kafka version, for brokers that cannot tell theirs",
                "type": "string",
                "pattern": r"^[0-9]\.[0-9]{1,2}$",
            },
        },
        "dependentRequired": {
            "mechanism": ["username", "password"],
            "username": ["mechanism"],
            "password": ["mechanism"],
        },
    }
    sent_secrets = {"password": "bootstrap_servers"}

    @classmethod
    def checked(cls, account: Account) -> Account:
        """Refuse an open connection into the internet, and a certificate that is none."""
        hosts = [host for host, _ in _servers(account)]
        if not account["tls"] and not set(hosts) <= set(settings.ALLOWED_PRIVATE_HOSTS):
            raise ValueError("Use tls, so that nobody on the way can read what is sent.")
        _tls_context(account)
        return account

    @contextmanager
    def producer(self) -> Iterator["Producer"]:
        """Open a producer for a few messages. Raises `BrokerAway`."""
        self._check_servers()
        token, clients = uuid4().hex, list[KafkaNetClient]()
        _refused[token] = []
        made = None

        def open_client(**how: Any) -> KafkaNetClient:
            clients.append(KafkaNetClient(**how))
            return clients[-1]

        try:
            made = KafkaProducer(
                kafka_client=open_client,
                proxy_url=f"{GuardedSocket.SCHEMES[0]}://{token}",
                **self._how(),
            )
            yield Producer(made, str(self.account["topic"]))
        except KafkaError as error:
            raise BrokerAway(_why(error, _refused[token])) from error
        finally:
            # A producer that could not be made leaves its connections open.
            if made is None:
                for client in clients:
                    client.close()
            else:
                made.close(timeout=CONNECT_SECONDS)
            del _refused[token]

    def _check_servers(self) -> None:
        """Say at once, and not after a while of trying, that there is no way to the cluster."""
        reasons = []
        for host, port in _servers(self.account):
            try:
                reachable(host, port, settings.ALLOWED_PRIVATE_HOSTS)
            except (AddressRefused, OSError, UnicodeError) as error:
                reasons.append(str(error))
            else:
                return
        raise BrokerAway(" ".join(reasons))

    def _how(self) -> dict[str, Any]:
        account = self.account
        transport = "SSL" if account["tls"] else "PLAINTEXT"
        version = account.get("protocol_version")
        how: dict[str, Any] = {
            "bootstrap_servers": account["bootstrap_servers"],
            "client_id": "customer-data-platform",
            "api_version": tuple(map(int, version.split("."))) if version else None,
            "bootstrap_timeout_ms": CONNECT_SECONDS * 1_000,
            "max_block_ms": CONNECT_SECONDS * 1_000,
            "request_timeout_ms": CONNECT_SECONDS * 1_000,
            "delivery_timeout_ms": DELIVER_SECONDS * 1_000,
            "security_protocol": transport,
            # Order is kept by one request at a time; not every broker lets a producer number
            # its messages, which would do it otherwise.
            "acks": "all",
            "enable_idempotence": False,
            "max_in_flight_requests_per_connection": 1,
            "max_request_size": LARGEST_REQUEST,
            "linger_ms": 5,
            "metrics_enabled": False,
        }
        if account["tls"]:
            how["ssl_context"] = _tls_context(account)
        if account.get("mechanism"):
            how |= {
                "security_protocol": f"SASL_{transport}",
                "sasl_mechanism": account["mechanism"],
                "sasl_plain_username": account["username"],
                "sasl_plain_password": account["password"],
            }
        return how


class Producer:
    """An open producer, for one topic."""

    def __init__(self, producer: KafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    def send(self, messages: Sequence[Message]) -> list[str]:
        """Send messages in order and return for each why it was refused for good, or nothing.

        Raises `KafkaError` when it is not known that the cluster has every other one; all
        of them are to be sent again then.
        """
        sent = [self._begin(message) for message in messages]
        self._producer.flush(timeout=DELIVER_SECONDS)
        return [_refusal(each) for each in sent]

    def _begin(self, message: Message) -> Any:
        headers = [(name, value.encode()) for name, value in message.headers.items()]
        try:
            return self._producer.send(
                self._topic, key=message.key, value=message.value, headers=headers
            )
        except _TOO_LARGE as error:
            return error


class GuardedSocket(KafkaNetSocket):  # type: ignore[misc]  # of an untyped package
    """Connects to checked addresses; the client and TLS still see the host's name."""

    SCHEMES = ("guarded",)

    def __init__(self, proxy_url: str) -> None:
        super().__init__()
        self._producer = proxy_url.rpartition("/")[2]

    async def connect(self, *args: Any, **kwargs: Any) -> socket.socket:
        """Connect, and leave no socket open that has not found anybody."""
        try:
            return cast("socket.socket", await super().connect(*args, **kwargs))
        except BaseException:
            self._opened.close()
            raise

    def socket(self, *args: Any, **kwargs: Any) -> socket.socket:
        self._opened = cast("socket.socket", super().socket(*args, **kwargs))
        return self._opened

    def dns_lookup(self, host: str, port: int, raise_error: bool = False) -> list[Any]:
        try:
            address = reachable(host, port, settings.ALLOWED_PRIVATE_HOSTS)
        except AddressRefused as error:
            _refused[self._producer].append(str(error))
            return []
        except (OSError, UnicodeError):
            return []
        return cast("list[Any]", socket.getaddrinfo(address, port, type=socket.SOCK_STREAM))


def _refusal(sent: Any) -> str:
    try:
        if isinstance(sent, KafkaError):
            raise sent
        sent.get(timeout=0)
    except _TOO_LARGE as error:
        return f"The message is too large for the cluster: {error}"
    return ""


def _servers(account: Account) -> list[tuple[str, int]]:
    parts = [str(server).rpartition(":") for server in account["bootstrap_servers"]]
    return [(host.strip("[]"), int(port)) for host, _, port in parts]


def _tls_context(account: Account) -> ssl.SSLContext | None:
    authority = account.get("ca_certificate")
    if not account["tls"]:
        return None
    try:
        return ssl.create_default_context(cadata=authority or None)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"The certificate of the authority cannot be used: {error}") from error


def _why(error: KafkaError, refused: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(refused)) or f"{type(error).__name__}: {error}"
