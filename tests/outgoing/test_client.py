"""Sending requests to other people's servers."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpserver import HTTPServer

from cdp.outgoing.client import NoAnswer, UrlRefused, check_url, send


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", "localhost", "receiver.example"]


def test_an_answer_is_returned_whatever_its_status(httpserver):
    httpserver.expect_request("/hook", method="POST", data=b"{}").respond_with_data(
        "no", status=503, headers={"Retry-After": "7"}
    )

    answer = send("POST", httpserver.url_for("/hook"), body=b"{}", headers={"X-Own": "1"})

    assert (answer.status, answer.body, answer.truncated) == (503, b"no", False)
    assert answer.headers["retry-after"] == "7"
    [(request, _)] = httpserver.log
    assert request.headers["X-Own"] == "1"
    assert request.headers["Host"] == f"{httpserver.host}:{httpserver.port}"
    assert request.headers["User-Agent"] == "customer-data-platform/1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "//example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://example.com/",
        "https:///path",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "https://example.com:port/",
        "https://exam ple.com/",
        "https://example.com/\r\nX-Own: 1",
        "https://exämple.com/",
        "https://[::1/",
        f"https://example.com/{'x' * 2_000}",
    ],
)
def test_urls_we_do_not_speak_to_are_refused_by_their_form(url):
    with pytest.raises(UrlRefused):
        check_url(url)
    with pytest.raises(UrlRefused):
        send("POST", url)


def test_plain_http_is_only_for_allowed_hosts():
    assert check_url("http://localhost:8000/hook") == "localhost"
    assert check_url("https://example.com:8443/hook?a=b") == "example.com"


def test_an_inner_host_is_refused_and_not_even_connected_to(settings, httpserver):
    settings.ALLOWED_PRIVATE_HOSTS = []

    for host in ("127.0.0.1", "localhost", "2130706433"):
        with pytest.raises(UrlRefused, match="private network"):
            send("POST", f"https://{host}:{httpserver.port}/hook")

    assert httpserver.log == []


def test_the_address_that_was_checked_is_the_one_that_is_used(httpserver, resolve):
    looked_up = resolve("receiver.example", "127.0.0.1")
    httpserver.expect_request("/hook").respond_with_data("ok")

    answer = send("POST", f"http://receiver.example:{httpserver.port}/hook")

    assert answer.status == 200
    assert looked_up == ["receiver.example"]
    [(request, _)] = httpserver.log
    assert request.headers["Host"] == f"receiver.example:{httpserver.port}"


def test_a_redirect_is_an_answer_and_is_not_followed(httpserver):
    inner = httpserver.url_for("/secret")
    httpserver.expect_request("/hook").respond_with_data(
        "", status=302, headers={"Location": inner}
    )

    answer = send("POST", httpserver.url_for("/hook"))

    assert answer.status == 302
    assert [request.path for request, _ in httpserver.log] == ["/hook"]


def test_the_environments_proxy_is_not_used(httpserver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    httpserver.expect_request("/hook").respond_with_data("ok")

    assert send("GET", httpserver.url_for("/hook")).status == 200


def test_a_long_answer_is_cut(httpserver):
    httpserver.expect_request("/hook").respond_with_data(b"x" * 100_000)

    answer = send("GET", httpserver.url_for("/hook"), max_bytes=1_000)

    assert (len(answer.body), answer.truncated) == (1_000, True)


def test_a_server_that_never_answers_costs_the_time_limit_and_no_more(bad_server):
    url = bad_server(lambda connection: time.sleep(3))
    started = time.monotonic()

    with pytest.raises(NoAnswer, match=r"within 0\.3 seconds"):
        send("POST", url, seconds=0.3)

    assert time.monotonic() - started < 1


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_server_that_drips_is_cut_off_at_the_same_limit(bad_server, start):
    def drip(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.05)

    started = time.monotonic()

    with pytest.raises(NoAnswer):
        send("POST", bad_server(drip), seconds=0.4)

    assert time.monotonic() - started < 1


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nbroken"])
def test_what_is_no_http_is_no_answer(bad_server, said):
    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(said)

    with pytest.raises(NoAnswer):
        send("POST", bad_server(answer), seconds=1)


def test_a_closed_port_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NoAnswer):
        send("POST", f"http://127.0.0.1:{port}/")


def test_connections_are_used_again(bad_server):
    connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        connections.append(connection)
        while connection.recv(65_536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    url = bad_server(answer)

    assert [send("GET", url).status for _ in range(3)] == [200, 200, 200]
    assert len(connections) == 1


def test_a_certificate_nobody_vouches_for_is_not_accepted(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_own_certificate(tmp_path))
    with HTTPServer(host="localhost", port=0, ssl_context=context) as server:
        server.expect_request("/hook").respond_with_data("ok")

        with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
            send("POST", server.url_for("/hook"))

        assert server.log == []


def _own_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
