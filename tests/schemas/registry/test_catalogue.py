"""The standard resources, and the records that the seed stories send."""

import json

import pytest

from cdp.schemas.registry.catalogue import (
    EVENT_CLASS,
    FOLDER,
    PROFILE_CLASS,
    standard_document,
    standard_resources,
)
from cdp.schemas.registry.composing import compose
from cdp.schemas.registry.problems import Refused
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.resources import Kind
from cdp.schemas.registry.sampling import sample_record
from tests.schemas.making import CONSENTS, CONTACT, DEMOGRAPHIC, NS
from tests.schemas.registry.standard import (
    EVENT,
    compiled,
    customer_attributes,
    digital_transactions,
    journey_steps,
    offline_transactions,
    web_connector,
)

SEED_FIELDS = {
    "commerce": {
        "cart": {"cartID": "c-1", "cartSource": "web"},
        "cartAbandons": {"value": 1},
        "order": {
            "orderType": "checkout",
            "payments": [
                {
                    "transactionID": "t-1",
                    "paymentAmount": 250.0,
                    "paymentType": "credit_card",
                    "currencyCode": "EUR",
                }
            ],
            "priceTotal": 250.0,
            "purchaseID": "p-1",
            "purchaseOrderNumber": "po-1",
            "currencyCode": "EUR",
        },
        "productListAdds": {"value": 1},
        "productListOpens": {"value": 1},
        "productListRemovals": {"value": 1},
        "productListViews": {"value": 1},
        "productViews": {"value": 1},
        "purchases": {"value": 1},
        "checkouts": {"value": 1},
        "saveForLaters": {"value": 1},
    },
    "marketing": {"campaignGroup": "spring", "campaignName": "Sale", "trackingCode": "s1"},
    "productListItems": [
        {
            "SKU": "sku-1",
            "name": "Coat",
            "priceTotal": 250.0,
            "product": "https://example.com/coat",
            "quantity": 1,
            "productAddMethod": "search",
            "currencyCode": "EUR",
        }
    ],
}


def test_every_resource_of_the_catalogue_resolves():
    resources = standard_resources()

    for resource in resources.values():
        assert resolve(resource.document, standard_document)["title"] == resource.title
    assert [kind.value for kind in Kind if kind is not Kind.SCHEMA] == sorted(
        {resource.kind.value for resource in resources.values()},
        key=[kind.value for kind in Kind].index,
    )


def test_every_file_has_a_title_and_a_description_and_an_id_of_its_own():
    documents = [json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*/*.json")]

    assert len({document["$id"] for document in documents}) == len(documents) > 100
    assert all(document["title"] and document["description"] for document in documents)
    assert "CC BY 4.0" in (FOLDER / "NOTICE").read_text("utf-8")


@pytest.mark.parametrize(
    "class_uri", [r.uri for r in standard_resources().values() if r.kind is Kind.CLASS]
)
def test_all_groups_that_fit_a_class_go_together_and_give_a_valid_sample(class_uri):
    groups = [
        resource.uri
        for resource in standard_resources().values()
        if resource.kind is Kind.FIELD_GROUP
        and (not resource.intended_to_extend or class_uri in resource.intended_to_extend)
    ]

    schema = compiled(class_uri, *groups)

    assert schema.validate(sample_record(schema)) == []


@pytest.mark.acceptance("A-15")
def test_demographic_details_bring_a_root_object_person():
    fields = compiled(PROFILE_CLASS, DEMOGRAPHIC).fields

    assert {path for path in fields if path.startswith("person")} == {
        "personID",
        "person",
        "person.name",
        *(
            f"person.name.{part}"
            for part in (
                "firstName",
                "lastName",
                "middleName",
                "courtesyTitle",
                "suffix",
                "fullName",
            )
        ),
        "person.birthDate",
        "person.birthDayAndMonth",
        "person.birthYear",
        "person.gender",
        "person.maritalStatus",
        "person.nationality",
        "person.type",
        "person.taxId",
    }
    assert fields["person.birthDate"].xdm_type == "date"
    assert fields["person.birthYear"].xdm_type == "int"


@pytest.mark.acceptance("A-16")
def test_personal_contact_details_bring_telephones_e_mail_and_addresses():
    fields = compiled(PROFILE_CLASS, CONTACT).fields

    assert {
        "homePhone.number",
        "mobilePhone.number",
        "personalEmail.address",
        "homeAddress.city",
        "homeAddress._schema.latitude",
        "billingAddress.street1",
        "shippingAddress.postalCode",
        "mailingAddress.countryCode",
    } <= fields.keys()
    assert fields["personalEmail.address"].format == "email"


@pytest.mark.acceptance("A-17")
def test_external_source_audit_brings_its_fields_to_any_class():
    for schema in (customer_attributes(), offline_transactions()):
        assert {
            "extSourceSystemAudit.createdBy",
            "extSourceSystemAudit.createdDate",
            "extSourceSystemAudit.lastUpdatedBy",
            "extSourceSystemAudit.lastUpdatedDate",
            "extSourceSystemAudit.lastActivityDate",
            "extSourceSystemAudit.externalID",
            "extSourceSystemAudit.externalKey.sourceKey",
        } <= schema.fields.keys()


@pytest.mark.acceptance("A-18")
def test_consents_bring_one_root_object_with_the_choices_of_the_standard():
    alone = compiled(PROFILE_CLASS, CONSENTS)
    base = compiled(PROFILE_CLASS).fields

    roots = {path.split(".")[0] for path in alone.fields.keys() - base.keys()}
    assert roots == {"consents"}
    assert alone.fields["consents.marketing.email.val"].enum == (
        *("y", "n", "p", "u", "dy", "dn"),
        *("LI", "CT", "CP", "VI", "PI"),
    )
    assert alone.validate({"consents": {"collect": {"val": "vi"}}})[0].code == "not_allowed"
    assert alone.validate({"consents": {"collect": {"val": "VI"}}}) == []


@pytest.mark.acceptance("A-19")
def test_digital_transactions_are_composed_of_five_standard_groups():
    schema = digital_transactions()

    assert schema.behavior == "time-series"
    assert {"web", "commerce", "endUserIDs", "extSourceSystemAudit", "segmentList"} <= (
        schema.fields.keys()
    )


@pytest.mark.acceptance("A-20")
def test_device_model_and_user_agent_are_taken_on_an_event():
    event = {
        **EVENT,
        "device": {"model": "Pixel 9"},
        "environment": {"browserDetails": {"userAgent": "Mozilla/5.0"}},
    }

    assert digital_transactions().validate(event) == []


@pytest.mark.acceptance("A-21")
def test_all_fields_of_the_seed_table_are_taken():
    schema = digital_transactions()

    assert schema.validate({**EVENT, **SEED_FIELDS}) == []
    assert schema.fields["commerce.order.payments"].array
    assert schema.fields["commerce.order.payments.paymentAmount"].in_array == (
        "commerce.order.payments",
    )
    assert schema.fields["productListItems.SKU"].in_array == ("productListItems",)


@pytest.mark.acceptance("A-22")
def test_the_seeds_spelling_of_removals_is_refused_with_the_right_name():
    event = {**EVENT, "commerce": {"productListRemoval": {"value": 1}}}

    (error,) = digital_transactions().validate(event)

    assert error.code == "unknown_field"
    assert error.path == "commerce.productListRemoval"
    assert "Did you mean 'commerce.productListRemovals'?" in error.detail


@pytest.mark.acceptance("A-23")
def test_end_user_ids_tell_identity_and_authentication():
    identity = {"id": "ada@example.com", "authenticatedState": "authenticated"}
    event = {
        **EVENT,
        "endUserIDs": {"_experience": {"emailid": {**identity, "namespace": {"code": "email"}}}},
    }

    assert digital_transactions().validate(event) == []
    event["endUserIDs"]["_experience"]["emailid"]["authenticatedState"] = "maybe"
    (error,) = digital_transactions().validate(event)
    assert (error.path, error.code) == (
        "endUserIDs._experience.emailid.authenticatedState",
        "not_allowed",
    )


@pytest.mark.acceptance("A-24")
def test_offline_transactions_are_composed_of_three_standard_groups():
    schema = offline_transactions()

    assert {"commerce", "productListItems", "personalEmail", "extSourceSystemAudit"} <= (
        schema.fields.keys()
    )


@pytest.mark.acceptance("A-25")
def test_personal_contact_details_fit_both_classes():
    assert "personalEmail.address" in compiled(PROFILE_CLASS, CONTACT).fields
    assert "personalEmail.address" in compiled(EVENT_CLASS, CONTACT).fields


@pytest.mark.acceptance("A-26")
def test_consents_cannot_join_an_event_schema():
    with pytest.raises(Refused) as refusal:
        compiled(EVENT_CLASS, CONSENTS)

    (problem,) = refusal.value.problems
    assert problem.rule == "field-group-fits-class"
    assert "'XDM Individual Profile'" in problem.detail


@pytest.mark.acceptance("A-27")
def test_a_web_connector_schema_takes_props_evars_lists_and_events():
    analytics = {
        "customDimensions": {
            "eVars": {"eVar250": "spring"},
            "props": {"prop75": "home"},
            "lists": {"list1": {"list": [{"key": "a", "value": "1"}]}},
        },
        "event1to100": {"event7": {"value": 2}},
        "event901to1000": {"event1000": {"value": 1}},
    }

    schema = web_connector()

    assert schema.validate({**EVENT, "_experience": {"analytics": analytics}}) == []
    assert "_experience.analytics.event1to100.event100.value" in schema.fields


@pytest.mark.acceptance("A-28")
def test_required_and_suggested_fields_can_be_told_apart():
    schema = digital_transactions()

    assert schema.fields["timestamp"].required
    assert not schema.fields["eventType"].required
    assert "commerce.purchases" in schema.fields["eventType"].suggested
    assert schema.fields["eventType"].enum == ()
    assert [(e.path, e.code) for e in schema.validate({"_id": "e-1"})] == [
        ("timestamp", "required")
    ]
    assert schema.validate({**EVENT, "eventType": "journey.feedback"}) == []


@pytest.mark.acceptance("A-30")
def test_commerce_details_hold_products_and_what_happens_to_a_cart():
    fields = offline_transactions().fields

    assert {
        "productListItems.SKU",
        "productListItems.name",
        "productListItems.quantity",
        "commerce.order.purchaseID",
        "commerce.checkouts.value",
        "commerce.cartAbandons.value",
    } <= fields.keys()


def test_journey_steps_stand_below_the_products_namespace():
    step = {"nodeID": "n-1", "stepStatus": "ended", "actionExecutionTime": 12}
    event = {**EVENT, "_experience": {"journeyOrchestration": {"stepEvents": step}}}

    assert journey_steps().validate(event) == []


def test_an_identity_map_is_a_map_of_lists():
    schema = compiled(EVENT_CLASS)

    assert schema.fields["identityMap"].type == "map"
    assert schema.fields["identityMap.*"].array
    assert schema.validate({**EVENT, "identityMap": {"ECID": [{"id": "1", "primary": True}]}}) == []
    assert [e.path for e in schema.validate({**EVENT, "identityMap": {"id": "1"}})] == [
        "identityMap.id"
    ]


def test_compose_tells_which_group_brought_a_field():
    document = {"title": "T", "allOf": [{"$ref": PROFILE_CLASS}, {"$ref": CONTACT}]}

    origins = compose(document, standard_resources().get).origins

    assert origins["personalEmail.address"] == "Personal Contact Details"
    assert origins["personID"] == "XDM Individual Profile"


def test_message_events_have_the_values_of_the_standard():
    feedback = f"{NS}experience/customerJourneyManagement/message-delivery-feedback"
    path = "_experience.customerJourneyManagement.messageDeliveryfeedback.feedbackStatus"

    assert "bounce" in compiled(EVENT_CLASS, feedback).fields[path].enum
