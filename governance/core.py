"""The labels, marketing actions and policies that every sandbox has from the start.

They are data, the same for everybody and read-only; a sandbox stores only which of the
core policies it has switched on. Core names are reserved, so one word means one thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from governance.evaluation import PolicyRule
from governance.expression import Expression, Group, Label, Operator


class Category(StrEnum):
    """What kind of promise or fact a label states."""

    CONTRACT = "contract"
    IDENTITY = "identity"
    SENSITIVE = "sensitive"
    PARTNER = "partner"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class CoreLabel:
    """A label everybody knows."""

    name: str
    category: Category
    title: str
    description: str
    is_core: bool = True


@dataclass(frozen=True, slots=True)
class CoreMarketingAction:
    """A purpose everybody knows."""

    name: str
    title: str
    description: str
    is_core: bool = True


@dataclass(frozen=True, slots=True)
class CorePolicy:
    """A policy everybody can switch on."""

    description: str
    rule: PolicyRule


def _labels(category: Category, *rows: tuple[str, str, str]) -> list[CoreLabel]:
    return [CoreLabel(name, category, title, description) for name, title, description in rows]


LABELS: Final[Mapping[str, CoreLabel]] = {
    label.name: label
    for label in [
        *_labels(
            Category.CONTRACT,
            ("C1", "Aggregates only", "Leaves only without ids of persons and devices."),
            ("C2", "No third parties", "Is not handed to anybody outside."),
            ("C3", "Not with personal ids", "Is not joined with directly identifying data."),
            ("C4", "No targeting", "Aims no advertisement or content, on our sites or others."),
            ("C5", "No cross-site targeting", "Aims nothing at interests seen across sites."),
            ("C6", "No on-site advertising", "Aims no advertisement on our sites."),
            ("C7", "No on-site content", "Chooses no content on our sites."),
            ("C8", "No measurement", "Is not used to measure our sites and apps."),
            ("C9", "No data science", "Trains and feeds no models."),
            ("C10", "No stitched activation", "Is not used through a stitched identity."),
            ("C11", "No partner matching", "Is not matched with a partner's segments."),
            ("C12", "Stays inside", "Does not leave in any way, not even read by the API."),
        ),
        *_labels(
            Category.IDENTITY,
            ("I1", "Identifies", "Names or reaches one person by itself."),
            ("I2", "Helps to identify", "Names one person together with other data."),
        ),
        *_labels(
            Category.SENSITIVE,
            ("S1", "Exact place", "Tells where somebody is to a point."),
            ("S2", "Rough place", "Tells where somebody is to an area."),
            ("PSPD", "Permitted sensitive data", "Is sensitive and may be held."),
            ("RHD", "Regulated health data", "Is under health law."),
        ),
        *_labels(Category.PARTNER, ("Third-Party", "From a partner", "Came from somebody else.")),
    ]
}

MARKETING_ACTIONS: Final[Mapping[str, CoreMarketingAction]] = {
    action.name: action
    for action in [
        CoreMarketingAction("analytics", "Analytics", "Measure sites and apps."),
        CoreMarketingAction(
            "combineWithPII", "Combine with personal ids", "Join with directly identifying data."
        ),
        CoreMarketingAction(
            "crossSiteTargeting", "Cross-site targeting", "Aim advertisements on other sites."
        ),
        CoreMarketingAction("dataScience", "Data science", "Build and run models."),
        CoreMarketingAction("emailTargeting", "E-mail targeting", "Choose who gets e-mail."),
        CoreMarketingAction(
            "exportToThirdParty", "Export to third parties", "Hand data to somebody outside."
        ),
        CoreMarketingAction(
            "onsiteAdvertising", "On-site advertising", "Aim advertisements on our sites."
        ),
        CoreMarketingAction(
            "onsitePersonalization", "On-site personalization", "Choose content on our sites."
        ),
        CoreMarketingAction("segmentMatch", "Segment match", "Match segments with a partner."),
        CoreMarketingAction(
            "singleIdentityPersonalization",
            "Single-identity personalization",
            "Act on a person known by one stitched identity.",
        ),
    ]
}


def _any(*labels: str) -> Expression:
    return Group(Operator.OR, tuple(Label(name) for name in labels))


def _all(*labels: str) -> Expression:
    return Group(Operator.AND, tuple(Label(name) for name in labels))


def _policy(key: str, name: str, description: str, deny: Expression, *actions: str) -> CorePolicy:
    rule = PolicyRule(f"pol_core_{key}", name, frozenset(actions), deny)
    return CorePolicy(description, rule)


POLICIES: Final[Mapping[str, CorePolicy]] = {
    policy.rule.id: policy
    for policy in [
        _policy(
            "onsite_advertising",
            "Restrict onsite advertising",
            "Keeps contract-bound data out of advertisements on our sites.",
            _any("C4", "C6"),
            "onsiteAdvertising",
        ),
        _policy(
            "email_targeting",
            "Restrict email targeting",
            "Keeps data that may not aim content out of e-mail.",
            _any("C4", "C5"),
            "emailTargeting",
        ),
        _policy(
            "cross_site_targeting",
            "Restrict cross-site targeting",
            "Keeps contract-bound data out of advertisements on other sites.",
            _any("C4", "C5"),
            "crossSiteTargeting",
        ),
        _policy(
            "onsite_personalization",
            "Restrict onsite personalization",
            "Keeps contract-bound data out of the content of our sites.",
            _any("C4", "C7"),
            "onsitePersonalization",
        ),
        _policy(
            "combining_identifiable_data",
            "Restrict combining directly identifiable data with anonymous data",
            "Keeps anonymous data apart from what names a person.",
            _all("C3", "I1"),
            "combineWithPII",
        ),
        _policy(
            "sensitive_data",
            "Restrict sensitive data",
            "Keeps places, health and other sensitive data out of targeting.",
            _any("S1", "S2", "PSPD", "RHD"),
            "crossSiteTargeting",
            "emailTargeting",
            "onsiteAdvertising",
            "onsitePersonalization",
        ),
        _policy(
            "third_party_export",
            "Restrict export to third parties",
            "Keeps data inside that may not be handed on.",
            _any("C1", "C2", "C12"),
            "exportToThirdParty",
        ),
        _policy(
            "analytics",
            "Restrict analytics",
            "Keeps data out of the measurement of sites and apps.",
            _any("C8"),
            "analytics",
        ),
        _policy(
            "data_science",
            "Restrict data science",
            "Keeps data out of models.",
            _any("C9"),
            "dataScience",
        ),
        _policy(
            "single_identity",
            "Restrict single-identity personalization",
            "Keeps data from being used through a stitched identity.",
            _any("C10"),
            "singleIdentityPersonalization",
        ),
        _policy(
            "segment_match",
            "Restrict segment match",
            "Keeps data out of matches with partners.",
            _any("C11"),
            "segmentMatch",
        ),
    ]
}
