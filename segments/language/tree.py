"""A rule as a JSON tree, which is how it is stored, and back.

The shape of a tree is `rule.schema.json`. A field says whose it is only where that
is not the thing looked at; a container of one condition is that condition.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any as Json

import jsonschema_rs

from segments.language.ast import Condition
from segments.language.errors import Problem, RuleError
from segments.language.limits import refuse_large_tree
from segments.language.shape import shape_problems
from segments.language.tree_reading import read_condition
from segments.language.tree_writing import write_condition

SCHEMA = Path(__file__).with_name("rule.schema.json")


def read_tree(tree: Json) -> Condition:
    """Return the rule of a JSON tree; raise `RuleError` with every place that is out of shape."""
    refuse_large_tree(tree)
    if problems := shape_problems(_validator(), tree):
        raise RuleError(problems)
    try:
        return read_condition(tree)
    except ValueError as error:
        raise RuleError([Problem("bad_time", str(error))]) from error


def write_tree(rule: Condition) -> dict[str, Json]:
    """Return the JSON tree of a rule.

    >>> tree = {"type": "is_null", "operand": {"field": "person.birthDate"}}
    >>> write_tree(read_tree(tree)) == tree
    True
    """
    return write_condition(rule)


@cache
def schema() -> dict[str, Json]:
    """Return the published JSON Schema of a tree."""
    loaded: dict[str, Json] = json.loads(SCHEMA.read_text())
    return loaded


@cache
def _validator() -> Json:
    return jsonschema_rs.Draft202012Validator(schema())
