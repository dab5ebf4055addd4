"""Sarah Rose visits Luma: each step through a public door, each checked by what comes back."""

import csv
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.client import Client, Refused
from demo.luma import CROSS_SITE_POLICY, Luma
from demo.receiver import Received, Receiver
from demo.shop import Record, event
from demo.telling import StepMissed, Teller

ECID = "52783012345678901234567890123456789012"
EMAIL = "sarah.rose@luma.example"
CRM_ID = "CRM-SARAH-ROSE"

Profile = dict[str, Any]


class Story:
    """What happens, in order."""

    def __init__(
        self, client: Client, luma: Luma, receiver: Receiver, files: Path, teller: Teller
    ) -> None:
        self.client = client
        self.files = files
        self.luma = luma
        self.receiver = receiver
        self.teller = teller
        self.said = 0

    def tell(self) -> None:
        """Go through all of it. Raises `StepMissed` at the first thing that does not happen."""
        self.teller.chapter("What Luma knows already")
        self._known_in_crm()
        self.teller.chapter("An anonymous visit")
        self._anonymous_views()
        self.teller.chapter("Login: two profiles become one")
        self._login()
        self.teller.chapter("A gift in the cart")
        self._activate()
        self._cart()
        self.teller.chapter("The purchase")
        self._purchase()
        self.teller.chapter("A use that Luma does not allow")
        self._forbidden()

    def _known_in_crm(self) -> None:
        record = {
            "person": {"name": {"firstName": "Sarah", "lastName": "Rose"}, "gender": "female"},
            "personalEmail": {"address": EMAIL},
            "loyalty": {"tier": "Bronze", "points": 120.0},
            "_luma": {"crmId": CRM_ID, "preferredCategory": "women", "preferredSize": "M"},
        }
        self.client.collect(self.luma.crm, [record])
        self.teller.wait(
            "Sarah Rose is found by her e-mail address, a Bronze member",
            lambda: self._profile("Email", EMAIL, lambda p: _at(p, "loyalty.tier") == "Bronze"),
        )

    def _anonymous_views(self) -> None:
        self._send("commerce.productViews", category="men", size="L")
        self._send("commerce.productViews", category="men", size="L")
        stranger = self.teller.wait(
            "An unknown visitor has a profile of her own with two product views",
            lambda: self._profile("ECID", ECID, lambda p: len(self._events(p)) == 2),
        )
        self.teller.check("It holds nothing personal", _at(stranger, "person") is None)

    def _login(self) -> None:
        self._send("web.webpagedetails.pageViews", email=EMAIL)
        merged = self.teller.wait(
            "Her browser and her account are one person",
            lambda: self._profile(
                "ECID", ECID, lambda p: _at(p, "person.name.firstName") == "Sarah"
            ),
        )
        same = self._profile("LumaCRM", CRM_ID, lambda p: p["id"] == merged["id"])
        self.teller.check("The CRM id leads to the same profile", same is not None)
        kinds = [each["event_type"] for each in self._events(merged)]
        self.teller.check(
            "What she looked at before the login is hers now",
            kinds.count("commerce.productViews") == 2,
        )

    def _activate(self) -> None:
        for connection in (self.luma.email_tool, self.luma.newsletter):
            self.client.post(
                "activations/",
                {
                    "connection_id": connection,
                    "segment_id": self.luma.segment,
                    "mapping": [
                        {"attribute": "person.name.firstName", "target": "first_name"},
                        {"identity": "Email", "target": "email"},
                    ],
                },
            )
        self.teller.done("Gift-giving cart abandoners go to the e-mail tool and into CSV files")

    def _cart(self) -> None:
        self._send("commerce.productListAdds", email=EMAIL, category="men", size="L")
        self.teller.wait(
            "A men's large sweatshirt in the cart: she enters the segment",
            lambda: self._profile("Email", EMAIL, self._is_member),
        )
        self.teller.wait(
            "The e-mail tool hears of it, signed, with her name and address",
            lambda: self._heard("segment.entered"),
        )

    def _purchase(self) -> None:
        self._send("commerce.purchases", email=EMAIL, category="men", size="L")
        self.teller.wait(
            "She has bought it: she leaves the segment",
            lambda: self._profile("Email", EMAIL, lambda p: not self._is_member(p)),
        )
        self.teller.wait("The e-mail tool is told to stop", lambda: self._heard("segment.exited"))
        self.teller.wait("Both changes stand in the newsletter's CSV files", self._written)

    def _forbidden(self) -> None:
        self.client.post(
            "descriptors/",
            {
                "schema_id": self.luma.customers_schema,
                "kind": "label",
                "paths": ["_luma.preferredSize"],
                "labels": ["C5"],
            },
        )
        self.teller.done("The preferred size is labelled C5: not for cross-site targeting")
        policy = next(
            each
            for each in self.client.get("policies/", limit=100)["results"]
            if each["name"] == CROSS_SITE_POLICY
        )
        self.client.patch(f"policies/{policy['id']}/", {"status": "enabled"})
        self.teller.done(f"The policy “{CROSS_SITE_POLICY}” is enabled")
        problem = self._refusal()
        violation = problem["violations"][0]
        self.teller.check(
            f"Sending the segment to the display partner is refused by “{violation['policy']['name']}”",
            violation["policy"]["name"] == CROSS_SITE_POLICY,
        )
        path = " → ".join(node["name"] for node in violation["lineage"]["nodes"])
        self.teller.check(f"The answer says why: {path}", len(violation["lineage"]["nodes"]) >= 3)

    def _refusal(self) -> dict[str, Any]:
        body = {
            "connection_id": self.luma.display,
            "segment_id": self.luma.segment,
            "mapping": [{"identity": "Email", "target": "email"}],
        }
        try:
            self.client.post("activations/", body)
        except Refused as refused:
            if "violations" not in refused.problem:
                raise
            return refused.problem
        raise StepMissed("The forbidden activation was accepted.")

    def _send(self, kind: str, email: str | None = None, **details: Any) -> None:
        self.said += 1
        record: Record = event(
            event_id=f"sarah-{time.time_ns()}-{self.said}",
            kind=kind,
            at=datetime.now(UTC),
            ecid=ECID,
            email=email,
            **details,
        )
        self.client.collect(self.luma.web, [record])

    def _profile(
        self, namespace: str, value: str, holds: Callable[[Profile], bool]
    ) -> Profile | None:
        try:
            profile: Profile = self.client.get("profiles/", identity=f"{namespace}:{value}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return profile if holds(profile) else None

    def _events(self, profile: Profile) -> list[Record]:
        page: list[Record] = self.client.get(f"profiles/{profile['id']}/events/")["results"]
        return page

    def _is_member(self, profile: Profile) -> bool:
        held = profile["segments"].get(self.luma.segment, {})
        return bool(held.get("status") == "realized")

    def _heard(self, kind: str) -> Received | None:
        for received in self.receiver.inbox:
            data = received.message.get("data", {})
            mail = data.get("identities", {}).get("email", [])
            if received.message.get("type") == kind and EMAIL in mail:
                return received if "webhook-signature" in received.headers else None
        return None

    def _written(self) -> bool:
        rows = [
            row
            for file in self.files.rglob("newsletter/*.csv")
            for row in csv.DictReader(file.read_text().splitlines())
            if EMAIL in (row.get("email") or "")
        ]
        return {row["change"] for row in rows} >= {"entered", "exited"}


def _at(profile: Profile, path: str) -> Any:
    value: Any = profile["attributes"]
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
