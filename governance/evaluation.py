"""May this use of data happen? Pure: policies and labelled fields in, violations out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from governance import expression
from governance.expression import Expression


class Part(StrEnum):
    """What a field does in a use; tells where to change it."""

    RULE = "rule"
    MAPPING = "mapping"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Node:
    """A station of the data on its way: a dataset, a merge policy, a segment, a destination."""

    type: str
    id: str
    name: str
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UsedField:
    """A field with every label that reaches it, and the routes it takes to the use.

    A route runs in the direction of the data, such as dataset, merge policy, segment, destination.
    """

    path: str
    labels: frozenset[str]
    part: Part
    routes: tuple[tuple[Node, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """What is to be done with data: by whom, for which marketing actions, with which fields."""

    subject: Node
    marketing_actions: frozenset[str]
    fields: tuple[UsedField, ...]


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A policy as the evaluation sees it: these actions are denied where the expression holds."""

    id: str
    name: str
    marketing_actions: frozenset[str]
    deny: Expression


@dataclass(frozen=True, slots=True)
class Lineage:
    """The part of the data's way that carries the matched labels, as a graph."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """One change after which the use would no longer violate the policy."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Violation:
    """One policy that a use would break, and why."""

    policy: PolicyRule
    marketing_actions: frozenset[str]
    labels: frozenset[str]
    fields: tuple[UsedField, ...]
    subject: Node = field(compare=False)

    @property
    def detail(self) -> str:
        """Say what is denied, with which data."""
        carriers = ", ".join(dict.fromkeys(used.path for used in self.fields))
        return (
            f"The policy '{self.policy.name}' does not allow {_list(self.marketing_actions)} "
            f"with data labelled {_list(self.labels)} ({carriers})."
        )

    @property
    def lineage(self) -> Lineage:
        """Return the stations and steps by which the matched labels reach the use."""
        routes = [route for used in self.fields for route in used.routes]
        nodes = dict.fromkeys(node for route in routes for node in route)
        edges = dict.fromkeys(pair for route in routes for pair in pairwise(route))
        return Lineage(tuple(nodes), tuple(edges))

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """Return the changes that would end the violation, the smallest first."""
        return (
            *dict.fromkeys(_without(used, self.subject) for used in self.fields),
            Resolution(
                "change_marketing_actions",
                f"Take {_list(self.marketing_actions)} off '{self.subject.name}', if it is not "
                "used for that.",
            ),
            Resolution(
                "change_labels",
                f"Take the label {_list(self.labels)} off the data, if it does not belong there.",
            ),
            Resolution(
                "disable_policy",
                f"Change or disable the policy '{self.policy.name}', if your organization "
                "allows this use.",
            ),
        )


def check_use(use: Use, policies: Iterable[PolicyRule]) -> tuple[Violation, ...]:
    """Return what the use violates; nothing means that it is allowed.

    The labels of all fields count together: data that is joined for one use is
    identifiable and precise at once, although no single field of it may be both.
    """
    labels = frozenset[str]().union(*(used.labels for used in use.fields))
    violations = (_violation(use, policy, labels) for policy in policies)
    return tuple(violation for violation in violations if violation is not None)


def _violation(use: Use, policy: PolicyRule, labels: frozenset[str]) -> Violation | None:
    actions = use.marketing_actions & policy.marketing_actions
    matched = expression.matched(policy.deny, labels) if actions else frozenset()
    if not matched:
        return None
    carriers = tuple(used for used in use.fields if used.labels & matched)
    return Violation(policy, actions, matched, carriers, use.subject)


def _without(used: UsedField, subject: Node) -> Resolution:
    if used.part is Part.RULE:
        segments = [node.name for route in used.routes for node in route if node.type == "segment"]
        named = f" of the segment '{segments[0]}'" if segments else ""
        return Resolution("change_rule", f"Take {used.path} out of the rule{named}.")
    return Resolution("change_mapping", f"Take {used.path} out of the mapping of '{subject.name}'.")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
