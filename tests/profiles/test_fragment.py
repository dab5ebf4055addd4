"""How a row that says only a part changes what a dataset says of somebody."""

import pytest

from profiles.identity import fragment
from profiles.identity.fragment import merged, replaced


@pytest.fixture
def before():
    return replaced(1, "ds_1", {"_luma": {"tags": ["a"], "tier": "gold"}}, at=100)


@pytest.mark.parametrize(
    ("row", "appended", "after"),
    [
        ({"_luma": {"tags": ["b"]}}, (), {"tags": ["b"], "tier": "gold"}),
        ({"_luma": {"tags": ["b"]}}, ("_luma.tags",), {"tags": ["a", "b"], "tier": "gold"}),
        ({"_luma": {"more": ["b"]}}, ("_luma.more",), {"tags": ["a"], "tier": "gold", "more": ["b"]}),
        ({"_luma": {"tier": "silver"}}, ("_luma.tier",), {"tags": ["a"], "tier": "silver"}),
        ({"_luma": {"tags": None}}, ("_luma.tags",), {"tier": "gold"}),
    ],
)  # fmt: skip
def test_a_list_takes_the_place_of_the_one_before_unless_it_is_appended(
    before, row, appended, after
):
    assert merged(before, row, 200, appended).document == {"_luma": after}
    assert before.document == {"_luma": {"tags": ["a"], "tier": "gold"}}


def test_what_is_appended_too_late_changes_nothing(before):
    assert (
        merged(before, {"_luma": {"tags": ["b"]}}, 50, ("_luma.tags",)).document == before.document
    )


def test_a_list_keeps_its_newest_items(before, monkeypatch):
    monkeypatch.setattr(fragment, "MOST_ITEMS", 3)

    after = merged(before, {"_luma": {"tags": ["b", "c", "d"]}}, 200, ["_luma.tags"])

    assert after.document["_luma"]["tags"] == ["b", "c", "d"]
