"""Rules that look up what an event or a person points to: products, stores."""

from dataclasses import dataclass
from typing import Any

import pytest

from cdp.datasets.lineage import Sources
from cdp.datasets.models import Dataset
from cdp.datasets.services.datasets import create_dataset
from cdp.datasets.services.writing import write_records
from cdp.queue import drain
from cdp.schemas.errors import ChangeRefused, ResourceInUse
from cdp.schemas.models import Descriptor, Schema
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.resources import Kind
from cdp.schemas.services.components import create_component
from cdp.schemas.services.descriptors import create_descriptor, delete_descriptor
from cdp.schemas.services.schemas import change_schema, delete_schema
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.errors import RuleRefused
from segments.explaining import explained, rule_fields
from segments.models import LookUp, Segment
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import change_segment, create_segment, publish_segment
from tests.schemas.making import TEXT, make_schema, own, root
from tests.segments.shop import ACTOR, Shop, open_shop
from tests.segments.test_evaluation import members

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
BUY = "commerce.purchases"
RUNNING = (
    f'xEvent[eventType = "{BUY}"]'
    '.productListItems[lookup(SKU, "Products")[ROOT.category = "running"]].count() >= 2'
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A shop with a dataset of products, which the items of its events point to."""

    shop: Shop
    products: Dataset
    relationship: Descriptor

    @property
    def sandbox(self) -> Sandbox:
        return self.shop.sandbox

    @property
    def schema(self) -> Schema:
        return self.products.schema

    def text(self, text: str) -> str:
        """Return a rule's text with the tenant's own fields where they are."""
        return text.replace("ROOT", root(self.sandbox))

    def product(self, sku: str, operation: str = "create", **fields: Any) -> None:
        """Say something about a product."""
        record = {"_id": f"{sku} {operation}", root(self.sandbox): {"sku": sku, **fields}}
        with scope(self.sandbox, ACTOR):
            write_records(
                sandbox=self.sandbox,
                dataset=self.products,
                records=[record],
                operation=operation,
            )
        drain()

    def buys(self, email: str, *skus: str) -> None:
        """Have somebody buy products."""
        self.shop.event(email, BUY, productListItems=[{"SKU": sku} for sku in skus])

    def segment(self, text: str, name: str = "Runners") -> Segment:
        """Make and publish a segment."""
        with scope(self.sandbox, ACTOR):
            made = create_segment(
                actor=ACTOR, sandbox=self.sandbox, name=name, text=self.text(text)
            )
            publish_segment(actor=ACTOR, segment=made)
        drain()
        return made

    def evaluate(self) -> None:
        """Evaluate everybody."""
        with scope(self.sandbox, ACTOR):
            request_evaluation(actor=ACTOR, sandbox=self.sandbox)
        drain()


@pytest.fixture
def catalogue(sandbox: Sandbox) -> Catalogue:
    shop = open_shop(sandbox)
    with scope(sandbox, ACTOR):
        product = create_component(
            actor=ACTOR,
            sandbox=sandbox,
            kind=Kind.CLASS,
            title="Product",
            bases=["https://ns.adobe.com/xdm/data/record"],
        )
        schema = make_schema(
            sandbox, title="Products", class_uri=product.uri, sku=TEXT, category=TEXT
        )
        create_descriptor(
            actor=ACTOR,
            schema=schema,
            kind=DescriptorKind.PRIMARY_KEY,
            paths=[f"{root(sandbox)}.sku"],
        )
        relationship = create_descriptor(
            actor=ACTOR,
            schema=shop.events.schema,
            kind=DescriptorKind.RELATIONSHIP,
            paths=["productListItems.SKU"],
            destination=schema,
            cardinality="M:1",
        )
        products = create_dataset(actor=ACTOR, sandbox=sandbox, schema=schema, name="Products")
    return Catalogue(shop, products, relationship)


def test_events_are_counted_by_what_the_catalogue_says_of_their_items(catalogue):
    for sku, category in (("s1", "running"), ("s2", "running"), ("s3", "yoga")):
        catalogue.product(sku, category=category)
    catalogue.buys("ada@luma.example", "s1", "s2")
    catalogue.buys("ben@luma.example", "s1", "s3", "unknown")

    segment = catalogue.segment(RUNNING)

    assert len(members(catalogue.shop, segment)) == 1
    catalogue.buys("ben@luma.example", "s2")
    assert len(members(catalogue.shop, segment)) == 2


def test_a_changed_entity_counts_at_the_next_evaluation_of_everybody(catalogue):
    catalogue.product("s1", category="yoga")
    catalogue.buys("ada@luma.example", "s1", "s1")
    segment = catalogue.segment(RUNNING)
    assert members(catalogue.shop, segment) == set()

    catalogue.product("s1", category="running")
    assert members(catalogue.shop, segment) == set()
    catalogue.evaluate()
    assert len(members(catalogue.shop, segment)) == 1

    catalogue.product("s1", "merge")  # says nothing of the category
    catalogue.evaluate()
    assert len(members(catalogue.shop, segment)) == 1

    catalogue.product("s1", "delete")
    catalogue.evaluate()
    assert members(catalogue.shop, segment) == set()


def test_a_rule_keeps_the_entity_by_its_id_whatever_it_is_called(catalogue):
    segment = catalogue.segment(RUNNING)
    with scope(catalogue.sandbox, ACTOR):
        change_schema(actor=ACTOR, schema=catalogue.schema, title="Goods")

        said = explained(segment)

    assert f'lookup(SKU, "{catalogue.schema.pk}")' in said["text"]
    catalogue.product("s1", category="running")
    catalogue.buys("ada@luma.example", "s1", "s1")
    assert len(members(catalogue.shop, segment)) == 1


def test_an_explanation_names_the_entitys_fields_with_its_labels(catalogue):
    path = catalogue.text("ROOT.category")
    with scope(catalogue.sandbox, ACTOR):
        create_descriptor(
            actor=ACTOR,
            schema=catalogue.schema,
            kind=DescriptorKind.LABEL,
            paths=[path],
            labels=["C2"],
        )
    segment = catalogue.segment(RUNNING)

    with scope(catalogue.sandbox, ACTOR):
        said = explained(segment)
        fields = rule_fields(catalogue.sandbox, [segment.pk])[segment.pk]
        sources = Sources.of(catalogue.sandbox, [catalogue.schema.pk])
        carriers = list(sources.of_entity(catalogue.schema.pk, path))

    entity = catalogue.schema.pk
    assert [(f["base"], f["entity"], f["path"], f["labels"]) for f in said["fields_used"]] == [
        ("entity", entity, path, ["C2"]),
        ("entity", entity, catalogue.text("ROOT.sku"), []),
        ("event", "", "eventType", []),
        ("event", "", "productListItems", []),
        ("event", "", "productListItems.SKU", []),
    ]
    assert [m["method"] for m in said["methods"] if m["possible"]] == ["batch"]
    assert [field.path for field in fields] == [field["path"] for field in said["fields_used"]]
    assert [(carrier.dataset.name, carrier.labels) for carrier in carriers] == [
        ("Products", frozenset({"C2"}))
    ]


@pytest.mark.parametrize(
    ("text", "code", "hint", "column"),
    [
        ('lookup(SKU, "Product")[ROOT.category = "a"]', "unknown_entity", "Products", 25),
        ('lookup(name, "Products")[ROOT.category = "a"]', "no_relationship", None, 25),
        ('lookup(SKU, "Products")[ROOT.categori = "a"]', "unknown_path", "ROOT.category", 49),
        ('lookup(SKU, "Products")[$1.person.name.lastName = "a"]', "wrong_scope", None, 49),
    ],
)
def test_a_look_up_that_leads_nowhere_is_refused(catalogue, text, code, hint, column):
    with scope(catalogue.sandbox, ACTOR), pytest.raises(RuleRefused) as refusal:
        create_segment(
            actor=ACTOR,
            sandbox=catalogue.sandbox,
            name="Wrong",
            text=catalogue.text(f"xEvent[productListItems[{text}]]"),
        )

    error = refusal.value.errors[0]
    assert error["code"] == code
    assert error.get("hint") == (hint and catalogue.text(hint))
    assert f"Line 1, column {column}: " in error["detail"]
    with scope(catalogue.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(catalogue.sandbox).exists()


def test_what_a_rule_looks_up_stays_until_no_rule_asks_for_it(catalogue):
    segment = catalogue.segment(RUNNING)
    with scope(catalogue.sandbox, ACTOR):
        delete_descriptor(actor=ACTOR, descriptor=catalogue.relationship)
        catalogue.products.delete()
        gone = own(catalogue.sandbox, category=None)
        with pytest.raises(ChangeRefused):
            change_schema(actor=ACTOR, schema=catalogue.schema, definition=gone)
        with pytest.raises(ResourceInUse) as refusal:
            delete_schema(actor=ACTOR, schema=catalogue.schema)
    assert [d["name"] for d in refusal.value.extra["dependents"]] == ["the segment Runners"]

    catalogue.buys("ada@luma.example", "s1")  # the rule is still answered
    assert members(catalogue.shop, segment) == set()

    with scope(catalogue.sandbox, ACTOR):
        change_segment(actor=ACTOR, segment=segment, text="false")
        assert not LookUp.objects.for_sandbox(catalogue.sandbox).exists()
        delete_schema(actor=ACTOR, schema=catalogue.schema)


def test_a_person_points_to_a_store(catalogue):
    with scope(catalogue.sandbox, ACTOR):
        create_descriptor(
            actor=ACTOR,
            schema=catalogue.shop.people.schema,
            kind=DescriptorKind.RELATIONSHIP,
            paths=["person.name.lastName"],
            destination=catalogue.schema,
        )
    catalogue.product("West", category="near")
    catalogue.shop.person("ada@luma.example", person={"name": {"lastName": "West"}})
    catalogue.shop.person("ben@luma.example", person={"name": {"lastName": "East"}})

    there = catalogue.segment('lookup(person.name.lastName, "Products")[ROOT.category = "near"]')
    not_there = catalogue.segment(
        'not (lookup(person.name.lastName, "Products")[ROOT.category = "near"])', "Elsewhere"
    )

    assert len(members(catalogue.shop, there)) == 1
    assert len(members(catalogue.shop, not_there)) == 1
