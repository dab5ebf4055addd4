"""The linking rules of a sandbox: which identifier ranks first, which may occur once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from profiles.identity.namespaces import EVICTION_CLASS, PERSON, TYPE_ORDER, Namespace

LIMIT: Final = 50
"""Identities in one graph, and links of one class that an identity keeps."""


class Identity(NamedTuple):
    """An identifier: the code of its namespace and its value in normal form."""

    namespace: str
    value: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One namespace's place in the linking rules; priority 1 ranks highest."""

    namespace: str
    priority: int
    unique: bool = False


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """Why settings are refused, and which one it is about."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Linking rules made ready for use.

    `rank` orders every namespace, also those without a setting; `classes`
    holds the ones that stitch, with their eviction class.
    """

    rank: Mapping[str, int]
    classes: Mapping[str, int]
    unique: frozenset[str] = frozenset()
    configured: bool = False
    limit: int = LIMIT
    _unranked: int = field(default=1_000_000, repr=False)

    def rank_of(self, namespace: str) -> int:
        """Return the priority of a namespace; an unknown one comes last."""
        return self.rank.get(namespace, self._unranked)

    def class_of(self, namespace: str) -> int:
        """Return how early its identities leave a full graph."""
        return self.classes.get(namespace, PERSON)


def make_rules(
    namespaces: Iterable[Namespace], settings: Sequence[Setting] = (), limit: int = LIMIT
) -> Rules:
    """Rank all namespaces: those with a setting first, the others by type and code."""
    known = list(namespaces)
    chosen = {s.namespace for s in settings}
    order = [s.namespace for s in sorted(settings, key=lambda s: s.priority)]
    rest = [n for n in known if n.code not in chosen]
    order += [n.code for n in sorted(rest, key=lambda n: (TYPE_ORDER.index(n.type), n.code))]
    return Rules(
        rank={code: place for place, code in enumerate(order, start=1)},
        classes={n.code: EVICTION_CLASS[n.type] for n in known if n.stitches},
        unique=frozenset(s.namespace for s in settings if s.unique),
        configured=bool(settings),
        limit=limit,
    )


def check_settings(
    namespaces: Mapping[str, Namespace], settings: Sequence[Setting]
) -> list[SettingProblem]:
    """Return what speaks against the settings: person ids rank above devices, devices above cookies."""
    problems: list[SettingProblem] = []
    seen_codes: set[str] = set()
    seen_priorities: set[int] = set()
    for index, setting in enumerate(settings):
        namespace = namespaces.get(setting.namespace)
        if namespace is None:
            detail = f"There is no namespace {setting.namespace!r} in this sandbox."
            problems.append(SettingProblem(index, "namespace_unknown", detail))
        elif not namespace.stitches:
            detail = f"{setting.namespace} never stitches, so it takes no priority."
            problems.append(SettingProblem(index, "namespace_never_stitches", detail))
        if setting.namespace in seen_codes:
            detail = f"{setting.namespace} is named twice."
            problems.append(SettingProblem(index, "namespace_repeated", detail))
        if setting.priority in seen_priorities:
            detail = f"Priority {setting.priority} is given twice."
            problems.append(SettingProblem(index, "priority_repeated", detail))
        seen_codes.add(setting.namespace)
        seen_priorities.add(setting.priority)
    return problems or _misplaced(namespaces, settings)


def _misplaced(
    namespaces: Mapping[str, Namespace], settings: Sequence[Setting]
) -> list[SettingProblem]:
    problems = []
    highest, above = PERSON, ""
    for setting in sorted(settings, key=lambda s: s.priority):
        own = EVICTION_CLASS[namespaces[setting.namespace].type]
        if own < highest:
            detail = (
                f"{setting.namespace} must rank above {above}: "
                "person ids first, then devices, then cookies."
            )
            problems.append(SettingProblem(settings.index(setting), "priority_order", detail))
        else:
            highest, above = own, setting.namespace
    return problems
