import hashlib

import pytest

from profiles.identity.namespaces import STANDARD, Namespace, NamespaceCatalogue, NamespaceType
from profiles.identity.values import IdentityRefused, normalise

STANDARDS = NamespaceCatalogue(STANDARD)


def kept(code, value):
    return normalise(STANDARDS.find(code), value)


@pytest.mark.parametrize(
    "value", ["null", "NULL", " anonymous ", "invalid", "", "   ", "0000-0000"]
)
def test_a_value_that_stands_for_nobody_is_left_out(value):
    with pytest.raises(IdentityRefused) as refused:
        kept("Email", value)

    assert (refused.value.code, refused.value.fatal) == ("identity_blocked", False)


@pytest.mark.parametrize("value", ["123", "a" * 38, "1" * 37, "1" * 39, "1" * 37 + "\u0661"])
def test_an_ecid_that_is_not_38_digits_refuses_the_record(value):
    with pytest.raises(IdentityRefused) as refused:
        kept("ECID", value)

    assert (refused.value.code, refused.value.fatal) == ("ecid_malformed", True)


def test_a_value_has_at_most_1024_characters():
    assert kept("Email", "a" * 1_024) == "a" * 1_024

    with pytest.raises(IdentityRefused) as refused:
        kept("Email", "a" * 1_025)

    assert refused.value.code == "identity_too_long"


@pytest.mark.parametrize(
    "value", ["\u4e2d" * 1_024, "\u0130" * 1_024], ids=["long in itself", "longer in lower case"]
)
def test_a_value_has_at_most_2048_bytes_as_it_is_kept(value):
    mail = Namespace("Mail", NamespaceType.EMAIL, normaliser="lowercase")

    with pytest.raises(IdentityRefused) as refused:
        normalise(mail, value)

    assert (refused.value.code, refused.value.fatal) == ("identity_too_long", True)
    assert normalise(mail, "\u00e9" * 1_024) == "\u00e9" * 1_024


def test_a_number_is_no_identity():
    with pytest.raises(IdentityRefused, match="must be text"):
        kept("Email", 7)


def test_plain_email_is_kept_as_sent():
    assert kept("Email", "Sarah@Luma.com") == "Sarah@Luma.com"


def test_hashed_email_is_hashed_from_its_lower_case():
    expected = hashlib.sha256(b"sarah@luma.com").hexdigest()

    assert kept("Email_LC_SHA256", " Sarah@Luma.com ") == expected
    assert kept("Email_LC_SHA256", expected.upper()) == expected


@pytest.mark.parametrize(
    "value", ["+49 (151) 123-456.78", "0049 151 12345678", "+4915112345678", "+49/151/12345678"]
)
def test_phone_numbers_of_one_line_are_one_identity(value):
    assert kept("Phone_E.164", value) == "+4915112345678"
    assert kept("Phone_SHA256_E.164", value) == hashlib.sha256(b"+4915112345678").hexdigest()


def test_a_phone_number_without_its_country_is_left_out():
    with pytest.raises(IdentityRefused) as refused:
        kept("Phone_E.164", "0151 12345678")

    assert (refused.value.code, refused.value.fatal) == ("phone_malformed", False)


def test_a_custom_namespace_may_lower_its_values():
    login = Namespace("Login", NamespaceType.CROSS_DEVICE, normaliser="lowercase", custom=True)

    assert normalise(login, " Sarah ") == "sarah"


def test_codes_are_found_whatever_their_case():
    assert STANDARDS.find("ecid").code == "ECID"
    assert STANDARDS.find("phone_e.164").code == "Phone_E.164"
    assert STANDARDS.find("CRM") is None
