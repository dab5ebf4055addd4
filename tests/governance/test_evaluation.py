"""May this use of data happen?"""

import pytest

from governance import core
from governance.evaluation import (
    Node,
    Part,
    PolicyRule,
    Resolution,
    Use,
    UsedField,
    check_use,
)
from governance.expression import Group, Label, Operator, labels_in

DATASET = Node("dataset", "ds_1", "Customers", frozenset({"C2"}))
OTHER_DATASET = Node("dataset", "ds_2", "Places")
POLICY = Node("merge_policy", "mp_1", "Default")
SEGMENT = Node("segment", "seg_1", "Runners")
DESTINATION = Node("destination", "dst_1", "Display network")
ACTIVATION = Node("activation", "act_1", "Display network")

EMAIL = UsedField(
    "personalEmail.address",
    frozenset({"I1", "C2"}),
    Part.MAPPING,
    ((DATASET, POLICY, DESTINATION),),
)
PLACE = UsedField(
    "homeAddress.city",
    frozenset({"S2"}),
    Part.RULE,
    ((OTHER_DATASET, POLICY, SEGMENT, DESTINATION),),
)
NO_PLACES = PolicyRule(
    "pol_1",
    "No places with names",
    frozenset({"crossSiteTargeting", "emailTargeting"}),
    Group(Operator.AND, (Label("S2"), Label("I1"))),
)


def _use(*fields: UsedField, actions: tuple[str, ...] = ("crossSiteTargeting",)) -> Use:
    return Use(ACTIVATION, frozenset(actions), fields)


def test_labels_of_all_fields_count_together():
    [violation] = check_use(_use(EMAIL, PLACE), [NO_PLACES])

    assert violation.labels == {"S2", "I1"}
    assert violation.marketing_actions == {"crossSiteTargeting"}
    assert violation.fields == (EMAIL, PLACE)
    assert violation.detail == (
        "The policy 'No places with names' does not allow crossSiteTargeting with data labelled "
        "I1, S2 (personalEmail.address, homeAddress.city)."
    )


@pytest.mark.acceptance("D-52")
def test_the_lineage_holds_the_way_of_each_matched_label_and_nothing_else():
    unmatched = UsedField("person.gender", frozenset({"C9"}), Part.RULE, ((DATASET, SEGMENT),))

    [violation] = check_use(_use(unmatched, PLACE, EMAIL), [NO_PLACES])

    assert violation.lineage.nodes == (OTHER_DATASET, POLICY, SEGMENT, DESTINATION, DATASET)
    assert violation.lineage.edges == (
        (OTHER_DATASET, POLICY),
        (POLICY, SEGMENT),
        (SEGMENT, DESTINATION),
        (DATASET, POLICY),
        (POLICY, DESTINATION),
    )
    assert violation.resolutions == (
        Resolution(
            "change_rule", "Take homeAddress.city out of the rule of the segment 'Runners'."
        ),
        Resolution(
            "change_mapping",
            "Take personalEmail.address out of the mapping of 'Display network'.",
        ),
        Resolution(
            "change_marketing_actions",
            "Take crossSiteTargeting off 'Display network', if it is not used for that.",
        ),
        Resolution(
            "change_labels", "Take the label I1, S2 off the data, if it does not belong there."
        ),
        Resolution(
            "disable_policy",
            "Change or disable the policy 'No places with names', if your organization allows "
            "this use.",
        ),
    )


@pytest.mark.parametrize(
    "use",
    [
        _use(EMAIL),
        _use(PLACE),
        _use(),
        _use(EMAIL, PLACE, actions=("analytics",)),
        _use(EMAIL, PLACE, actions=()),
    ],
)
def test_nothing_is_violated_without_both_labels_and_an_action_of_the_policy(use):
    assert check_use(use, [NO_PLACES]) == ()


def test_every_policy_answers_for_itself():
    third = core.POLICIES["pol_core_third_party_export"].rule

    found = check_use(
        _use(EMAIL, PLACE, actions=("crossSiteTargeting", "exportToThirdParty")),
        [NO_PLACES, third],
    )

    assert [violation.policy.id for violation in found] == [NO_PLACES.id, third.id]


@pytest.mark.parametrize(
    ("policy", "action", "denied", "allowed"),
    [
        ("pol_core_sensitive_data", "crossSiteTargeting", {"S1"}, {"I1"}),
        ("pol_core_onsite_advertising", "onsiteAdvertising", {"C6"}, {"C7"}),
        ("pol_core_email_targeting", "emailTargeting", {"C5"}, {"C6"}),
        ("pol_core_cross_site_targeting", "crossSiteTargeting", {"C4"}, {"C7"}),
        ("pol_core_combining_identifiable_data", "combineWithPII", {"C3", "I1"}, {"C3", "I2"}),
        ("pol_core_onsite_personalization", "onsitePersonalization", {"C7"}, {"C6"}),
        ("pol_core_third_party_export", "exportToThirdParty", {"C12"}, {"C3"}),
        ("pol_core_analytics", "analytics", {"C8"}, {"C9"}),
        ("pol_core_data_science", "dataScience", {"C9"}, {"C8"}),
        ("pol_core_single_identity", "singleIdentityPersonalization", {"C10"}, {"C11"}),
        ("pol_core_segment_match", "segmentMatch", {"C11"}, {"C10"}),
    ],
)
def test_core_policies_deny_what_they_are_for(policy, action, denied, allowed):
    rule = core.POLICIES[policy].rule

    def violated(labels: set[str]) -> bool:
        field = UsedField("a.field", frozenset(labels), Part.RULE)
        return bool(check_use(_use(field, actions=(action,)), [rule]))

    assert (violated(denied), violated(allowed)) == (True, False)


def test_core_policies_name_only_core_labels_and_actions():
    for policy in core.POLICIES.values():
        assert policy.rule.marketing_actions <= set(core.MARKETING_ACTIONS)
        assert labels_in(policy.rule.deny) <= set(core.LABELS)
