from hypothesis import given
from hypothesis import strategies as st

from profiles.identity.fragment import Fragment, merged, replaced
from profiles.identity.merge import AttributeMerge, Policy, Source, merge, merge_with_sources

CRM_ROW = {"person": {"name": {"firstName": "Sarah", "lastName": "Rose"}, "gender": "female"}}
WEB_ROW = {"person": {"gender": "not_specified"}, "_luma": {"interests": ["yoga"]}}

keys = st.sampled_from("abc")
documents = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(keys, below, min_size=1, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(keys, documents, max_size=3)
fragments = st.lists(
    st.builds(
        lambda identity, dataset, row, at, later: (
            merged(replaced(identity, dataset, row, at), later, at + 5)
            if later
            else replaced(identity, dataset, row, at)
        ),
        identity=st.integers(1, 3),
        dataset=st.sampled_from(["crm", "web"]),
        row=rows,
        at=st.integers(0, 9),
        later=st.none() | rows,
    ),
    max_size=5,
    unique_by=lambda f: f.key,
)
policies = st.sampled_from(
    [
        Policy(),
        Policy(AttributeMerge.DATASET, order=("web", "crm")),
        Policy(AttributeMerge.DATASET, order=("crm",)),
    ]
)


def test_the_newest_row_wins_value_by_value():
    said = [replaced(1, "crm", CRM_ROW, 10), replaced(2, "web", WEB_ROW, 20)]

    assert merge(said) == {
        "person": {
            "name": {"firstName": "Sarah", "lastName": "Rose"},
            "gender": "not_specified",
        },
        "_luma": {"interests": ["yoga"]},
    }


def test_with_dataset_precedence_the_known_gender_beats_the_newer_guess():
    said = [replaced(1, "crm", CRM_ROW, 10), replaced(2, "web", WEB_ROW, 20)]

    document = merge(said, Policy(AttributeMerge.DATASET, order=("crm", "web")))

    assert document["person"]["gender"] == "female"
    assert document["_luma"] == {"interests": ["yoga"]}


def test_datasets_that_the_order_does_not_name_say_nothing():
    said = [replaced(1, "crm", CRM_ROW, 10), replaced(2, "web", WEB_ROW, 20)]

    assert merge(said, Policy(AttributeMerge.DATASET, order=("crm",))) == CRM_ROW


def test_a_list_goes_whole():
    said = [
        replaced(1, "crm", {"tags": ["a", "b"]}, 1),
        replaced(1, "web", {"tags": ["c"]}, 2),
    ]

    assert merge(said) == {"tags": ["c"]}


def test_the_source_systems_own_time_counts_where_the_dataset_says_so():
    old = {"a": "old", "extSourceSystemAudit": {"lastUpdatedDate": "2020-01-01T00:00:00Z"}}
    said = [
        replaced(1, "crm", old, 2_000_000_000_000),
        replaced(1, "web", {"a": "new"}, 1_900_000_000_000),
    ]

    assert merge(said)["a"] == "old"
    assert merge(said, Policy(source_timed={"crm"}))["a"] == "new"


def test_every_value_tells_its_source():
    said = [replaced(1, "crm", CRM_ROW, 10), replaced(2, "web", WEB_ROW, 20)]

    assert merge_with_sources(said).sources == {
        "person.name.firstName": Source("crm", 1, 10),
        "person.name.lastName": Source("crm", 1, 10),
        "person.gender": Source("web", 2, 20),
        "_luma.interests": Source("web", 2, 20),
    }


@given(said=fragments, policy=policies)
def test_merging_with_and_without_sources_gives_the_same(said, policy):
    assert merge_with_sources(said, policy).document == merge(said, policy)


@given(said=fragments, policy=policies, order=st.randoms(use_true_random=False))
def test_the_order_in_which_fragments_are_read_does_not_matter(said, policy, order):
    shuffled = list(said)
    order.shuffle(shuffled)

    assert merge(shuffled, policy) == merge(said, policy)


def test_a_row_replaces_what_its_dataset_said_and_nulls_say_nothing():
    assert replaced(1, "crm", {"a": {"b": None}, "c": None, "d": 1}, 5) == Fragment(
        1, "crm", {"d": 1}, 5
    )


def test_identities_and_memberships_are_no_attributes():
    row = {"identityMap": {"ECID": []}, "segmentMembership": {}, "_id": "1", "a": 1}

    assert replaced(1, "crm", row, 5).document == {"a": 1}


def test_a_merged_row_changes_only_what_it_names():
    before = replaced(1, "crm", {"a": {"x": 1, "y": 2}, "b": [1]}, 5)

    after = merged(before, {"a": {"x": 9}, "b": None}, 7)

    assert after == Fragment(1, "crm", {"a": {"x": 9, "y": 2}}, 5, {"a.x": 7, "b": 7})
    assert before.document == {"a": {"x": 1, "y": 2}, "b": [1]}


def test_an_older_merge_does_not_undo_a_newer_one():
    newer = merged(replaced(1, "crm", {}, 1), {"a": "new"}, 9)

    assert merged(newer, {"a": "old", "b": 1}, 5).document == {"a": "new", "b": 1}
