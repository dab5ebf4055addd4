"""The page about the language: what it shows can be written."""

import json
import re
from pathlib import Path

import pytest

import segments.language
from segments.language import limits
from segments.language.parse import parse
from segments.language.print import print_rule
from segments.language.regex import MAX_PATTERN
from segments.language.tree import read_tree, write_tree

PAGE = Path(segments.language.__file__).with_name("README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
TEXTS = [line for kind, block in BLOCKS if kind == "pql" for line in block.splitlines()]
TREES = [block for kind, block in BLOCKS if kind == "json"]


@pytest.mark.parametrize("text", TEXTS)
def test_an_example_is_read_and_comes_back_from_its_tree_and_its_text(text):
    rule = parse(text)

    assert read_tree(write_tree(rule)) == rule
    assert parse(print_rule(rule)) == rule


def test_the_tree_on_the_page_is_the_text_above_it():
    [tree] = TREES

    assert read_tree(json.loads(tree)) == parse(TEXTS[0])


def test_the_limits_on_the_page_are_those_in_force():
    told = f"{limits.MAX_NODES:,}; {limits.MAX_SIZE:,}; {limits.MAX_TEXT:,} "

    assert f"| nesting of conditions and parentheses | {limits.MAX_DEPTH} |" in PAGE
    assert f"| parts of a tree; its characters; those of a text | {told}|" in PAGE
    assert f"| a pattern | {MAX_PATTERN} characters" in PAGE
