"""Kafka-compatible clusters that cannot be reached, or whose settings cannot work."""

import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from cdp.outgoing import kafka
from cdp.outgoing.accounts import configured
from cdp.outgoing.kafka import BrokerAway, Cluster

GIVEN = {"bootstrap_servers": ["127.0.0.1:1"], "topic": "events", "tls": False}


@pytest.fixture(autouse=True)
def near(monkeypatch, settings):
    monkeypatch.setattr(kafka, "CONNECT_SECONDS", 1)
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", "localhost"]


def open_sockets():
    """Return this process's sockets, each under the number that the kernel gave it."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we look
            found.add(str(each.readlink()))
    return {name for name in found if name.startswith("socket:")}


def test_a_cluster_that_is_away_leaves_nothing_open():
    cluster = Cluster(configured(Cluster, GIVEN, ""))
    before, threads = open_sockets(), set(threading.enumerate())

    for _ in range(3):
        with pytest.raises(BrokerAway), cluster.producer():
            pass

    assert open_sockets() - before == set()
    assert set(threading.enumerate()) - threads == set()


def test_a_name_that_leads_nowhere_is_told(resolve):
    resolve("broker.luma.example", "10.0.0.7")
    given = {**GIVEN, "bootstrap_servers": ["broker.luma.example:9092"], "tls": True}

    cluster = Cluster(configured(Cluster, given, ""))

    with pytest.raises(BrokerAway, match="inside a private network"), cluster.producer():
        pass


def test_tls_trusts_the_given_authority_alone(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Luma",
         "-keyout", "key.pem", "-out", "ca.pem", "-days", "1"],
        cwd=tmp_path, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    authority = (tmp_path / "ca.pem").read_text()
    account = configured(Cluster, {**GIVEN, "tls": True, "ca_certificate": authority}, "")

    context = Cluster(account)._how()["ssl_context"]

    assert [each["subject"] for each in context.get_ca_certs()] == [((("commonName", "Luma"),),)]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_password_is_sent_by_the_chosen_mechanism():
    sasl = {"mechanism": "SCRAM-SHA-256", "username": "cdp", "password": "s3cret"}
    how = Cluster(configured(Cluster, {**GIVEN, **sasl, "tls": True}, ""))._how()

    assert how["security_protocol"] == "SASL_SSL"
    assert (how["sasl_mechanism"], how["sasl_plain_username"]) == ("SCRAM-SHA-256", "cdp")
    assert "s3cret" not in repr(configured(Cluster, {**GIVEN, **sasl}, ""))
