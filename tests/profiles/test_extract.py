import pytest

from profiles.identity.extract import IdentityField, Reader
from profiles.identity.namespaces import Namespace, NamespaceCatalogue, NamespaceType
from profiles.identity.rules import Identity, Setting, make_rules
from tests.profiles.stitching import NAMESPACES

SKU = Namespace("SKU", NamespaceType.NON_PEOPLE, custom=True)
PARTNER = Namespace("Partner", NamespaceType.PARTNER, custom=True)
KNOWN = NamespaceCatalogue([*NAMESPACES, SKU, PARTNER])
PLAIN = make_rules(KNOWN)
RANKED = make_rules(KNOWN, [Setting("CRM", 1), Setting("Email", 2), Setting("ECID", 3)])

EMAIL_FIELD = IdentityField(("personalEmail", "address"), "Email", primary=True)
CRM_FIELD = IdentityField(("_luma", "crmId"), "CRM")
ECID_1 = "1" * 38

LOGIN = {
    "identityMap": {
        "ECID": [{"id": ECID_1, "primary": True}],
        "Email": [{"id": "sarah@luma.com"}],
    },
    "_luma": {"crmId": "c-1"},
}


def reader(*fields, rules=PLAIN, events=True):
    return Reader(fields, KNOWN, rules, events=events)


def test_identities_come_from_fields_and_from_the_identity_map():
    named = reader(CRM_FIELD).read(LOGIN)

    assert named.identities == (
        Identity("CRM", "c-1"),
        Identity("ECID", ECID_1),
        Identity("Email", "sarah@luma.com"),
    )


def test_without_rules_an_event_belongs_to_the_identity_it_calls_primary():
    assert reader(CRM_FIELD).read(LOGIN).primary == Identity("ECID", ECID_1)


def test_with_rules_an_event_belongs_to_the_highest_namespace():
    assert reader(CRM_FIELD, rules=RANKED).read(LOGIN).primary == Identity("CRM", "c-1")


def test_a_profile_row_belongs_to_its_schemas_primary_whatever_the_rules():
    row = LOGIN | {"personalEmail": {"address": "rose@luma.com"}}

    named = reader(EMAIL_FIELD, CRM_FIELD, rules=RANKED, events=False).read(row)

    assert named.primary == Identity("Email", "rose@luma.com")


def test_a_record_that_names_nobody_has_no_primary():
    named = reader(EMAIL_FIELD).read({"eventType": "x", "identityMap": {}})

    assert (named.identities, named.primary, named.fatal) == ((), None, None)


def test_a_blocked_value_is_left_out_and_the_record_goes_on():
    record = {"identityMap": {"Email": [{"id": "anonymous"}], "ECID": [{"id": ECID_1}]}}

    named = reader().read(record)

    assert named.identities == (Identity("ECID", ECID_1),)
    assert [(r.path, r.code) for r in named.left_out] == [("identityMap.Email", "identity_blocked")]


def test_products_and_partner_ids_never_stitch():
    record = {
        "identityMap": {
            "SKU": [{"id": "wl-1"}],
            "Partner": [{"id": "p-1"}],
            "ECID": [{"id": ECID_1}],
        }
    }

    assert reader().read(record).identities == (Identity("ECID", ECID_1),)


def test_an_unknown_namespace_refuses_the_record_and_says_what_to_do():
    fatal = reader().read({"identityMap": {"Shoe": [{"id": "1"}]}}).fatal

    assert (fatal.path, fatal.code) == ("identityMap.Shoe", "namespace_unknown")
    assert "Create it" in fatal.detail


def test_a_malformed_ecid_refuses_the_record():
    assert reader().read({"identityMap": {"ECID": [{"id": "12"}]}}).fatal.code == "ecid_malformed"


@pytest.mark.parametrize(("count", "refused"), [(20, False), (21, True)])
def test_a_record_names_at_most_twenty_identities(count, refused):
    record = {"identityMap": {"Email": [{"id": f"{n}@x"} for n in range(count)]}}

    fatal = reader().read(record).fatal

    assert (fatal is not None) == refused
    assert not refused or fatal.code == "too_many_identities"
