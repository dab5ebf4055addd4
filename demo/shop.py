"""Luma's customers and what they do: made up, but the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Record = dict[str, Any]

FIRST_NAMES = ("Ada", "Ben", "Chloe", "Dan", "Ella", "Finn", "Grace", "Hugo", "Iris", "Jack", "Kim")
LAST_NAMES = (
    "Baker",
    "Carter",
    "Diaz",
    "Evans",
    "Fischer",
    "Garcia",
    "Hill",
    "Ito",
    "Jones",
    "Khan",
)
CITIES = ("San Jose", "Austin", "Denver", "Portland", "Boston", "Chicago", "Seattle")
TIERS = ("Bronze", "Silver", "Gold")
CATEGORIES = ("women", "men", "kids", "gear")
SIZES = ("S", "M", "L", "XL")
PRODUCTS = {
    "women": ("Aero Tights", 79.0),
    "men": ("Running Sweatshirt", 89.5),
    "kids": ("Mini Runner Shoes", 49.9),
    "gear": ("Trail Bottle", 24.5),
}
EVENT_KINDS = (
    ("web.webpagedetails.pageViews", 40),
    ("commerce.productViews", 35),
    ("commerce.productListAdds", 12),
    ("commerce.checkouts", 5),
    ("commerce.purchases", 8),
)
DAYS_BACK = 120


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person: her browser, her account, and what she usually buys."""

    number: int
    ecid: str
    email: str
    crm_id: str
    category: str
    size: str


def shoppers(count: int, seed: int = 7) -> list[Shopper]:
    """Make the shop's customers."""
    draw = random.Random(seed)
    return [
        Shopper(
            number=number,
            ecid=f"{draw.randrange(10**37, 10**38)}",
            email=f"shopper{number}@luma.example",
            crm_id=f"CRM-{number:06d}",
            category=draw.choice(CATEGORIES),
            size=draw.choice(SIZES),
        )
        for number in range(count)
    ]


def profile_records(people: list[Shopper], seed: int = 8) -> Iterator[Record]:
    """Yield one CRM record for each person."""
    draw = random.Random(seed)
    for person in people:
        record: Record = {
            "_id": f"crm-{person.number}",
            "person": {
                "name": {
                    "firstName": draw.choice(FIRST_NAMES),
                    "lastName": draw.choice(LAST_NAMES),
                }
            },
            "personalEmail": {"address": person.email},
            "homeAddress": {"city": draw.choice(CITIES), "countryCode": "US"},
            "_luma": {
                "crmId": person.crm_id,
                "preferredCategory": person.category,
                "preferredSize": person.size,
            },
        }
        if draw.random() < 0.6:
            record["loyalty"] = {"tier": draw.choice(TIERS), "points": float(draw.randrange(5_000))}
        yield record


def events(people: list[Shopper], count: int, now: datetime, seed: int = 9) -> Iterator[Record]:
    """Yield events of the last 120 days, in no particular order.

    One in five carries the account as well as the browser, which is what stitches them.
    """
    draw = random.Random(seed)
    kinds = [kind for kind, _ in EVENT_KINDS]
    weights = [weight for _, weight in EVENT_KINDS]
    for number in range(count):
        person = draw.choice(people)
        at = now - timedelta(seconds=draw.randrange(60, DAYS_BACK * 86_400))
        kind = draw.choices(kinds, weights)[0]
        category = person.category if draw.random() < 0.85 else draw.choice(CATEGORIES)
        yield event(
            event_id=f"luma-{seed}-{number}",
            kind=kind,
            at=at,
            ecid=person.ecid,
            email=person.email if draw.random() < 0.2 else None,
            category=category,
            size=person.size if draw.random() < 0.85 else draw.choice(SIZES),
            quantity=draw.randrange(1, 4),
        )


def event(
    *,
    event_id: str,
    kind: str,
    at: datetime,
    ecid: str,
    email: str | None = None,
    category: str = "women",
    size: str = "M",
    quantity: int = 1,
) -> Record:
    """Make one web event as a Luma page sends it."""
    identities: Record = {"ECID": [{"id": ecid, "primary": True}]}
    if email:
        identities["Email"] = [{"id": email, "authenticatedState": "authenticated"}]
    record: Record = {
        "_id": event_id,
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventType": kind,
        "identityMap": identities,
        "_luma": {"category": category, "size": size},
    }
    if kind.startswith("web."):
        record["web"] = {
            "webPageDetails": {"name": f"{category} landing", "pageViews": {"value": 1.0}}
        }
    else:
        record["productListItems"] = [_item(category, quantity)]
        record["commerce"] = _commerce(kind, category, quantity, event_id)
    return record


def _item(category: str, quantity: int) -> Record:
    name, price = PRODUCTS[category]
    return {
        "SKU": f"LUMA-{category}",
        "name": name,
        "quantity": quantity,
        "priceTotal": round(price * quantity, 2),
        "currencyCode": "USD",
    }


def _commerce(kind: str, category: str, quantity: int, event_id: str) -> Record:
    commerce: Record = {kind.removeprefix("commerce."): {"value": 1.0}}
    if kind == "commerce.purchases":
        total = round(PRODUCTS[category][1] * quantity, 2)
        commerce["order"] = {
            "purchaseID": f"order-{event_id}",
            "priceTotal": total,
            "currencyCode": "USD",
            "payments": [
                {"paymentAmount": total, "paymentType": "credit_card", "currencyCode": "USD"}
            ],
        }
    return commerce
