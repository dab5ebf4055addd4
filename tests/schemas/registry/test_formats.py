"""Formats: the fixed list, and what each of them means."""

import ipaddress
import re
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.schemas.registry.formats import FORMATS, is_date, is_date_time, is_time
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.validation import validator_of

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))


def accepts(form: str, text: str) -> bool:
    return validator_of({"type": "string", "format": form}).is_valid(text)


@given(st.datetimes(timezones=OFFSETS))
def test_every_moment_python_can_hold_is_a_date_time(moment):
    assert accepts("date-time", moment.isoformat())
    assert accepts("date-time", moment.astimezone(UTC).isoformat().replace("+00:00", "Z")) or (
        moment.year in (1, 9999)
    )


@given(st.dates())
def test_every_day_python_can_hold_is_a_date(day):
    assert accepts("date", day.isoformat())


@given(st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", fullmatch=True))
def test_a_date_time_that_is_taken_can_be_read(text):
    if is_date_time(text):
        assert datetime.fromisoformat(text).tzinfo is not None
    assert accepts("date-time", text) == is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00z",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00Z\n",
        "٢026-01-01T00:00:00Z",
    ],
)
def test_what_the_stores_could_not_hold_is_no_date_time(text):
    assert not is_date_time(text)
    assert not accepts("date-time", text)


def test_dates_and_times_have_the_same_limits():
    assert [is_date(t) for t in ("2024-02-29", "2023-02-29", "0000-01-01", "2024-2-9")] == [
        True,
        False,
        False,
        False,
    ]
    assert [is_time(t) for t in ("08:30:00Z", "08:30:60Z", "08:30:00", "25:00:00Z")] == [
        True,
        False,
        False,
        False,
    ]


ADDRESSES = st.text(st.sampled_from("0123456789abcdef:.%/"), max_size=24)


@given(st.one_of(ADDRESSES, st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)))
def test_addresses_are_what_python_takes_for_one(text):
    for form, kind in (("ipv4", ipaddress.IPv4Address), ("ipv6", ipaddress.IPv6Address)):
        try:
            known = "%" not in str(kind(text))  # a zone is no part of an address elsewhere
        except ValueError:
            known = False
        assert accepts(form, text) == known


@given(st.one_of(st.uuids().map(str), st.text(st.sampled_from("0123456789abcdefG-"), max_size=40)))
def test_uuids_are_what_the_second_opinion_takes_for_one(text):
    checker = jsonschema.FormatChecker(["uuid"])

    assert accepts("uuid", text) == checker.conforms(text, "uuid")
    if accepts("uuid", text):
        assert UUID(text)


# RFC 3986, appendix B, with what its characters may be.
_CHARS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.\-]*:{_CHARS}*(?:#{_CHARS}*)?", re.ASCII)
URIS = st.text(st.sampled_from('ab1:/?#%2F.- é<>"{}|\\^`'), max_size=16)


@given(URIS)
def test_an_address_without_a_host_is_a_uri_as_its_rfc_says(text):
    if "//" in text:
        return  # hosts have a syntax of their own
    assert accepts("uri", text) == (_URI.fullmatch(text) is not None)


@pytest.mark.parametrize(
    ("text", "uri", "reference"),
    [
        ("https://example.com/a?b=c#d", True, True),
        ("https://ns.adobe.com/experience/alloy", True, True),
        ("urn:x:y", True, True),
        ("//example.com/a", False, True),
        ("/a/b", False, True),
        ("", False, True),
        ("https://exa mple.com", False, False),
        ("https://example.com/%zz", False, False),
        ("https://example.com/ä", False, False),
    ],
)
def test_uris_and_references(text, uri, reference):
    assert (accepts("uri", text), accepts("uri-reference", text)) == (uri, reference)
    if uri:
        assert urlsplit(text).scheme


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("ada@example.com", True),
        ("ada.l+x@example.co.uk", True),
        ("ada", False),
        ("@example.com", False),
        ("ada@", False),
        ("ada@example.com ", False),
        ("a b@example.com", False),
        ("ada..l@example.com", False),
    ],
)
def test_email_addresses(text, known):
    assert accepts("email", text) == known


def test_no_other_format_is_checked():
    resolved = resolve({"type": "string", "format": "hostname"}, {}.get)

    assert resolved["meta:format"] == "hostname"
    assert validator_of(resolved).is_valid("not a host!")
    assert sorted(FORMATS) == list(FORMATS)
    assert date(1, 1, 1).isoformat() == "0001-01-01"
