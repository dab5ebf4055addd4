"""What kinds of identifier there are, and what each kind may do to a graph."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PERSON, DEVICE, COOKIE = 0, 1, 2
"""Eviction classes: the larger, the earlier it leaves a full graph."""


class NamespaceType(StrEnum):
    """Say what an identifier of the namespace points at."""

    COOKIE = "Cookie"
    CROSS_DEVICE = "Cross_device"
    DEVICE = "Device"
    EMAIL = "Email"
    PHONE = "Phone"
    MOBILE = "Mobile"
    NON_PEOPLE = "Non_people"
    PARTNER = "Partner_ID"


EVICTION_CLASS: Final[Mapping[NamespaceType, int]] = {
    NamespaceType.CROSS_DEVICE: PERSON,
    NamespaceType.EMAIL: PERSON,
    NamespaceType.PHONE: PERSON,
    NamespaceType.MOBILE: PERSON,
    NamespaceType.DEVICE: DEVICE,
    NamespaceType.COOKIE: COOKIE,
}
"""Types that stitch. A type that is missing here never joins two records."""

TYPE_ORDER: Final = (
    NamespaceType.CROSS_DEVICE,
    NamespaceType.EMAIL,
    NamespaceType.PHONE,
    NamespaceType.MOBILE,
    NamespaceType.DEVICE,
    NamespaceType.COOKIE,
    NamespaceType.PARTNER,
    NamespaceType.NON_PEOPLE,
)
"""Which identifier speaks for a record while nobody has set priorities."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One kind of identifier, such as e-mail addresses or the ids of a shop's CRM."""

    code: str
    type: NamespaceType
    name: str = ""
    normaliser: str = "none"
    custom: bool = False

    @property
    def stitches(self) -> bool:
        """Whether its identifiers may join records to one person."""
        return self.type in EVICTION_CLASS


STANDARD: Final = (
    Namespace("AdCloud", NamespaceType.COOKIE, "Advertising Cloud"),
    Namespace("AAID", NamespaceType.COOKIE, "Analytics visitor id"),
    Namespace("ECID", NamespaceType.COOKIE, "Experience Cloud id", "ecid"),
    Namespace("TNTID", NamespaceType.COOKIE, "Target id"),
    Namespace("Email", NamespaceType.EMAIL, "E-mail address"),
    Namespace("Email_LC_SHA256", NamespaceType.EMAIL, "E-mail address, hashed", "email_sha256"),
    Namespace("Phone", NamespaceType.PHONE, "Telephone number"),
    Namespace("Phone_E.164", NamespaceType.PHONE, "Telephone number, E.164", "e164"),
    Namespace("Phone_SHA256", NamespaceType.PHONE, "Telephone number, hashed", "sha256"),
    Namespace(
        "Phone_SHA256_E.164", NamespaceType.PHONE, "Telephone number, E.164, hashed", "e164_sha256"
    ),
    Namespace("IDFA", NamespaceType.DEVICE, "Apple id for advertisers"),
    Namespace("GAID", NamespaceType.DEVICE, "Google advertising id"),
    Namespace("RIDA", NamespaceType.DEVICE, "Roku id for advertisers"),
    Namespace("WAID", NamespaceType.DEVICE, "Windows advertising id"),
    Namespace("APNS", NamespaceType.DEVICE, "Apple push token"),
    Namespace("FCM", NamespaceType.DEVICE, "Firebase push token"),
    Namespace("UserId", NamespaceType.CROSS_DEVICE, "User id of a tracker"),
    Namespace("AnonymousId", NamespaceType.COOKIE, "Anonymous id of a tracker"),
)


class NamespaceCatalogue:
    """Find namespaces by code, whatever its case.

    >>> NamespaceCatalogue(STANDARD).find("email").code
    'Email'
    """

    def __init__(self, namespaces: Iterable[Namespace]) -> None:
        self._by_code: dict[str, Namespace] = {}
        for namespace in namespaces:
            self._by_code[namespace.code] = namespace
            self._by_code.setdefault(namespace.code.lower(), namespace)

    def find(self, code: str) -> Namespace | None:
        """Return the namespace, or None when the sandbox has none of that code."""
        return self._by_code.get(code) or self._by_code.get(code.lower())

    def __iter__(self) -> Iterator[Namespace]:
        return iter({namespace.code: namespace for namespace in self._by_code.values()}.values())
