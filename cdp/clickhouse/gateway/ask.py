"""What one HTTP request asks of the store: a statement, its data, settings and parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.policy import HTTP

from cdp.clickhouse.gateway.failure import Failure

# Parameters that ClickHouse's HTTP interface consumes itself; they are no settings.
TRANSPORT = {
    *("query", "query_id", "database", "default_format", "user", "password", "quota_key", "role"),
    *("session_id", "session_timeout", "session_check", "close_session", "stacktrace"),
    *("compress", "decompress", "buffer_size", "wait_end_of_query", "http_response_buffer_size"),
    *("client_protocol_version", "enable_http_compression", "send_progress_in_http_headers"),
    *("http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close"),
}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PARAMETER = "param_"

_COLUMNS = r"\((?:`(?:[^`\\]|\\.)*`|[^)`])*\)"
INSERT = re.compile(
    rf"\s*(?P<insert>INSERT\s+INTO\s+(?:TABLE\s+)?(?!FUNCTION\b)[\w.`\"]+\s*(?:{_COLUMNS})?)\s+"
    r"FORMAT\s+(?P<format>\w+)(?:[ \t]*\r?\n)?".encode(),
    re.IGNORECASE,
)
FORMAT = re.compile(r"\bFORMAT\s+(\w+)(?:\s+SETTINGS\s[^;]*)?[\s;]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Ask:
    """One statement. `insert_format` is set when data for it follow."""

    statement: str
    format: str
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    query_id: str = ""
    insert_format: str = ""


def read_ask(arguments: Mapping[str, str], head: bytes) -> tuple[Ask, int]:
    r"""Return what is asked and where in `head` the data of an insert begin.

    `head` is the beginning of the body: the rest of the statement, or all of it,
    and then data. `arguments` are those of the URL and of a form.

    >>> ask, start = read_ask({"max_threads": "2"}, b"INSERT INTO t (a) FORMAT Native\n123")
    >>> ask.statement, ask.insert_format, ask.settings, start
    ('INSERT INTO t (a)', 'Native', {'max_threads': '2'}, 32)
    >>> read_ask({"query": "SELECT {x:Int8} FORMAT CSV", "param_x": "1"}, b"")[0].format
    'CSV'
    """
    said = arguments.get("query", "").encode()
    text = said if not head or INSERT.match(said) else said + b"\n" * bool(said) + head
    ask = Ask(
        statement="",
        format=arguments.get("default_format") or "TabSeparated",
        database=arguments.get("database", ""),
        settings=_settings(arguments),
        parameters=_parameters(arguments),
        query_id=arguments.get("query_id", ""),
    )
    if insert := INSERT.match(text):
        start = 0 if text is said else insert.end() - (len(said) + 1 if said else 0)
        statement, given = insert["insert"].decode(), insert["format"].decode()
        return replace(ask, statement=statement, insert_format=given), start
    statement = _decode(text).strip()
    if not statement:
        raise Failure(62, "SYNTAX_ERROR", "Empty query")
    explicit = FORMAT.search(statement)
    form = explicit[1] if explicit else ask.format
    return replace(ask, statement=statement, format=form), len(head)


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a multipart form: how a client sends parameters too long for a URL."""
    head = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
    fields: dict[str, str] = {}
    for part in message_from_bytes(head + body, policy=HTTP).iter_parts():
        name = part["Content-Disposition"].params.get("name")
        if not name or part.get_filename():
            raise Failure(
                48, "NOT_IMPLEMENTED", "The embedded event store takes no external tables"
            )
        fields[name] = _decode(bytes(part.get_payload(decode=True) or b""))
    return fields


def _parameters(arguments: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PARAMETER): value
        for name, value in arguments.items()
        if name.startswith(PARAMETER)
    }


def _settings(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments that are settings; the engine refuses those it does not know."""
    settings = {
        name: value
        for name, value in arguments.items()
        if name not in TRANSPORT and not name.startswith(PARAMETER)
    }
    for name in settings:
        if not NAME.fullmatch(name):
            raise Failure(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
    return settings


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise Failure(62, "SYNTAX_ERROR", f"The query is not UTF-8: {error}") from error
