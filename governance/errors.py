"""Refusals of governance."""

from collections.abc import Sequence
from typing import Any

from cdp.errors import Conflict, Invalid
from governance.evaluation import Violation


class UseRefused(Invalid):
    """A policy does not allow this use of data.

    `violations` tells for each policy the labels it met, the way they came, and
    what would end the violation.
    """

    code, title = "use_refused", "A policy does not allow this use of data"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(
            " ".join(violation.detail for violation in violations),
            violations=[violation_document(violation) for violation in violations],
        )


class CoreIsFixed(Conflict):
    """What is given with the platform cannot be changed, only switched."""

    code = "core_is_fixed"


def violation_document(violation: Violation) -> dict[str, Any]:
    """Write a violation as the API shows it."""
    lineage = violation.lineage
    return {
        "policy": {"id": violation.policy.id, "name": violation.policy.name},
        "subject": {
            "type": violation.subject.type,
            "id": violation.subject.id,
            "name": violation.subject.name,
        },
        "marketing_actions": sorted(violation.marketing_actions),
        "labels": sorted(violation.labels),
        "detail": violation.detail,
        "fields": [
            {"path": used.path, "labels": sorted(used.labels), "part": used.part.value}
            for used in violation.fields
        ],
        "lineage": {
            "nodes": [
                {
                    "type": node.type,
                    "id": node.id,
                    "name": node.name,
                    "labels": sorted(node.labels),
                }
                for node in lineage.nodes
            ],
            "edges": [{"from": start.id, "to": end.id} for start, end in lineage.edges],
        },
        "resolutions": [
            {"code": resolution.code, "detail": resolution.detail}
            for resolution in violation.resolutions
        ],
    }
