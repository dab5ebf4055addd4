"""Which addresses may be spoken to."""

import socket
from ipaddress import ip_address

import pytest

from cdp.outgoing.addresses import AddressRefused, is_inner, reachable


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.31.255.255",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_inner_addresses_are_known_in_every_spelling(address):
    assert is_inner(ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "172.32.0.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
)
def test_public_addresses_are_not_inner(address):
    assert not is_inner(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "::1"]
)
def test_every_spelling_of_the_loopback_is_refused(host):
    with pytest.raises(AddressRefused):
        reachable(host, 80)


def test_one_inner_address_among_public_ones_is_enough_to_refuse(resolve):
    resolve("mixed.example", "93.184.215.14", "10.0.0.1")

    with pytest.raises(AddressRefused):
        reachable("mixed.example", 443)


def test_an_allowed_host_may_be_an_inner_one_whatever_its_case():
    assert reachable("LOCALHOST", 80, {"localhost"}) in {"127.0.0.1", "::1"}


def test_a_public_host_is_reached_at_its_first_address(resolve):
    resolve("public.example", "93.184.215.14", "93.184.215.15")

    assert reachable("public.example", 443) == "93.184.215.14"


def test_a_name_without_an_address_is_no_refusal(monkeypatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(OSError, match="not known"):
        reachable("nowhere.example", 443)
