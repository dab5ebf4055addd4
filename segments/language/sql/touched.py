"""Who satisfies which rules, and when that can next change by itself, as one statement.

For profiles that have changed: both ask for the same events, which are read once.
"""

from collections.abc import Sequence

from segments.language.clock import Clock
from segments.language.sql.rechecks import RecheckWriter
from segments.language.sql.scan import Few, Rule, Statement, Stored, nobody
from segments.language.vocabulary import Vocabulary


def touched_scan(
    rules: Sequence[Rule],
    words: Vocabulary,
    clock: Clock,
    horizon: int,
    few: Few | None = None,
    stored: Stored = nobody,
) -> Statement:
    """Return a statement with a row for each profile: its id, the places of its rules, and when.

    The second column lists the positions, from 0, of the rules that the profile
    satisfies; the third is the earliest instant at which one of them can change, late
    in the future if there is none up to the horizon. Rules come parents before
    children; a reference to a rule that is not among them asks `stored`, which gets a
    segment and returns SQL over `profile_id`.
    """
    writer = RecheckWriter(words, clock, stored)
    names = [writer.rule(rule) for rule in rules]
    writer.add_changes([rule.condition for rule in rules], horizon)
    places = ", ".join(f"if({name}, [toUInt16({n})], [])" for n, name in enumerate(names))
    text = f"""SELECT profile_id, arrayConcat(emptyArrayUInt16(), {places}) AS places,
  {writer.earliest()} AS at
FROM ({writer.answered(few)})"""
    return Statement(text, writer.parameters.values)
