"""Reading a composition's tree: its shape, then whether it makes sense here."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any as Json

import jsonschema_rs

from segments.compositions.definition import (
    Definition,
    Enrichment,
    Excluded,
    FromRule,
    FromSegment,
    Joined,
    Part,
    Rank,
    ShareBranch,
    SplitByShare,
    SplitByValue,
    ValueBranch,
)
from segments.compositions.names import PARTS
from segments.language.ast import Condition, Field, In, IsNull, Value
from segments.language.check import check
from segments.language.errors import Problem, RuleError
from segments.language.limits import refuse_large_tree, scan_problems
from segments.language.parse import parse
from segments.language.scopes import PROFILE, bind
from segments.language.shape import shape_problems
from segments.language.tree import read_tree, write_tree
from segments.language.tree_reading import read_condition
from segments.language.vocabulary import Kind, Vocabulary
from segments.rules import with_entities_by_id

SCHEMA = Path(__file__).with_name("composition.schema.json")
RANKED_BY: frozenset[Kind] = frozenset({"number", "integer", "time", "day"})


def read_definition(tree: Json, words: Vocabulary) -> Definition:
    """Return the composition of a tree. Raises `RuleError` with every problem and its place."""
    refuse_large_tree(tree)
    if shape := shape_problems(_validator(), tree):
        raise RuleError(shape)
    problems: list[Problem] = []
    of = _part(tree["of"], "/of", words, problems)
    rank = Rank(**tree["rank"]) if "rank" in tree else None
    enrich = tuple(_enrichment(each) for each in tree.get("enrich", ()))
    split = _split(tree["split"]) if "split" in tree else None
    if rank is not None:
        problems += _rank_problems(rank, words)
    for number, each in enumerate(enrich):
        problems += _field_problems(each.key, f"/enrich/{number}/key", words)
    if split is not None:
        problems += _split_problems(split, words)
    if problems or of is None:
        raise RuleError(problems)
    return Definition(of, rank, enrich, split)


def stored_definition(tree: Mapping[str, Json]) -> Definition:
    """Return the composition of a tree that was checked when it was stored."""
    return Definition(
        _stored_part(tree["of"]),
        Rank(**tree["rank"]) if "rank" in tree else None,
        tuple(_enrichment(each) for each in tree.get("enrich", ())),
        _split(tree["split"]) if "split" in tree else None,
    )


def canonical(tree: dict[str, Json], words: Vocabulary) -> dict[str, Json]:
    """Return a checked tree as it is kept: every rule in it as a tree."""
    return {**tree, "of": _canonical_part(tree["of"], words)}


@cache
def schema() -> dict[str, Json]:
    """Return the published JSON Schema of a tree."""
    loaded: dict[str, Json] = json.loads(SCHEMA.read_text())
    return loaded


@cache
def _validator() -> Json:
    return jsonschema_rs.Draft202012Validator(schema())


def _part(tree: Json, at: str, words: Vocabulary, problems: list[Problem]) -> Part | None:
    match tree["type"]:
        case "segment":
            return FromSegment(tree["id"])
        case "rule":
            rule = _rule(tree, at, words, problems)
            return None if rule is None else FromRule(rule)
        case "exclude":
            of = _part(tree["of"], f"{at}/of", words, problems)
            without = _part(tree["without"], f"{at}/without", words, problems)
            return Excluded(of, without) if of and without else None
        case how:
            parts = [
                _part(each, f"{at}/of/{number}", words, problems)
                for number, each in enumerate(tree["of"])
            ]
            known = tuple(part for part in parts if part is not None)
            return Joined(how, known) if len(known) == len(parts) else None


def _rule(tree: Json, at: str, words: Vocabulary, problems: list[Problem]) -> Condition | None:
    field = "rule" if "rule" in tree else "text"
    try:
        rule = _read_rule(tree, words)
    except RuleError as error:
        problems += [_below(problem, f"{at}/{field}") for problem in error.problems]
        return None
    found = check(rule, words) or scan_problems(rule, words)
    problems += [_below(problem, f"{at}/{field}") for problem in found]
    return rule


def _read_rule(tree: Json, words: Vocabulary) -> Condition:
    given = tree["rule"] if "rule" in tree else write_tree(parse(tree["text"], words))
    return with_entities_by_id(read_tree(given), words)


def _below(problem: Problem, at: str) -> Problem:
    return replace(problem, path=f"{at}{problem.path}")


def _enrichment(tree: Json) -> Enrichment:
    return Enrichment(tree["dataset_id"], tree["key"], tree["match"], tuple(tree["attributes"]))


def _split(tree: Json) -> SplitByShare | SplitByValue:
    if tree["by"] == "share":
        return SplitByShare(
            tuple(
                ShareBranch(each["key"], each["name"], round(each["percent"] * PARTS / 100))
                for each in tree["branches"]
            )
        )
    return SplitByValue(
        tree["attribute"],
        tuple(
            ValueBranch(each["key"], each["name"], tuple(each.get("values", ())))
            for each in tree["branches"]
        ),
    )


def _field_problems(path: str, at: str, words: Vocabulary) -> Iterator[Problem]:
    """Yield what is wrong with a field of which each person has one value at most."""
    field = Field(path)
    problems = check(IsNull(field), words)
    yield from (replace(problem, path=at) for problem in problems)
    bound = bind(field, PROFILE, words)
    if not problems and bound is not None and bound.depth:
        yield Problem("many_values", f"A person has many values of {path}: name a single one.", at)
    if not problems and bound is not None and bound.known.kind == "object":
        yield Problem("not_a_value", f"{path} is a group of fields: name one of them.", at)


def _rank_problems(rank: Rank, words: Vocabulary) -> Iterator[Problem]:
    problems = list(_field_problems(rank.by, "/rank/by", words))
    yield from problems
    bound = bind(Field(rank.by), PROFILE, words)
    if not problems and bound is not None and bound.known.kind not in RANKED_BY:
        detail = f"People are ranked by a number, a time or a day; {rank.by} is none."
        yield Problem("no_order", detail, "/rank/by")


def _split_problems(split: SplitByShare | SplitByValue, words: Vocabulary) -> Iterator[Problem]:
    for attribute in ("key", "name"):
        counted = Counter(getattr(branch, attribute) for branch in split.branches)
        for value, times in counted.items():
            if times > 1:
                detail = f"Two branches have the {attribute} '{value}'."
                yield Problem("twice", detail, "/split/branches")
    if isinstance(split, SplitByShare):
        total = sum(branch.parts for branch in split.branches)
        if total > PARTS:
            detail = f"The branches take {total * 100 / PARTS:g} percent; there are 100."
            yield Problem("too_much", detail, "/split/branches")
        return
    problems = list(_field_problems(split.attribute, "/split/attribute", words))
    yield from problems or _value_problems(split, words)


def _value_problems(split: SplitByValue, words: Vocabulary) -> Iterator[Problem]:
    values = [value for branch in split.branches for value in branch.values]
    for value, times in Counter(values).items():
        if times > 1:
            yield Problem("twice", f"Two branches take the value {value!r}.", "/split/branches")
    if sum(not branch.values for branch in split.branches) > 1:
        yield Problem("twice", "One branch takes all others, not two.", "/split/branches")
    for number, branch in enumerate(split.branches):
        if branch.values:
            asked = In(Field(split.attribute), Value(branch.values))
            at = f"/split/branches/{number}/values"
            yield from (replace(problem, path=at) for problem in check(asked, words))
    if not values:
        yield Problem("no_values", "Say which values at least one branch takes.", "/split/branches")


def _stored_part(tree: Json) -> Part:
    match tree["type"]:
        case "segment":
            return FromSegment(tree["id"])
        case "rule":
            return FromRule(read_condition(tree["rule"]))
        case "exclude":
            return Excluded(_stored_part(tree["of"]), _stored_part(tree["without"]))
        case how:
            return Joined(how, tuple(_stored_part(each) for each in tree["of"]))


def _canonical_part(tree: Json, words: Vocabulary) -> dict[str, Json]:
    match tree["type"]:
        case "segment":
            return dict(tree)
        case "rule":
            return {"type": "rule", "rule": write_tree(_read_rule(tree, words))}
        case "exclude":
            parts = {name: _canonical_part(tree[name], words) for name in ("of", "without")}
            return {"type": "exclude", **parts}
        case how:
            return {"type": how, "of": [_canonical_part(each, words) for each in tree["of"]]}
