"""What rules ask of the event store: memberships, shares of the people, ranks among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from segments.compositions.names import PARTS, Share, base_name, read_ranked, read_share
from segments.evaluation.log import MEMBERS
from segments.language.ast import Field
from segments.language.scopes import PROFILE, bind
from segments.language.sql.frames import Columns, TableFrame
from segments.language.sql.parameters import Parameters
from segments.language.vocabulary import Vocabulary

_FOUND = """(SELECT arrayJoin(bitmapToArray(groupBitmapMergeState(members))) FROM found_members
  WHERE sandbox_id = {{sandbox:UInt32}} AND evaluation_id = toUUID({evaluation})
    AND segment_id = {segment})"""


@dataclass(frozen=True, slots=True)
class Ranking:
    """How a composition ranks, and the segments that it results in."""

    by: str
    descending: bool
    limit: int
    results: Sequence[str]


@dataclass(frozen=True, slots=True)
class Logged:
    """Memberships as the log has them."""

    rankings: Mapping[str, Ranking] = field(default_factory=dict)

    def __call__(self, asked: str, parameters: Parameters) -> str:
        """Return SQL for whether `profile_id` is what is asked for."""
        if share := read_share(asked):
            return _share(share, parameters)
        if (composition := read_ranked(asked)) is not None:
            return self.ranked(composition, parameters)
        return self.member(asked, parameters)

    def member(self, segment: str, parameters: Parameters) -> str:
        """Return SQL for whether the profile is a member."""
        return f"""(profile_id IN (SELECT arrayJoin(bitmapToArray(members))
  FROM ({MEMBERS}) WHERE segment_id = {parameters.text(segment)}))"""

    def ranked(self, composition: str, parameters: Parameters) -> str:
        """Return SQL for whether a rank has left the profile in: it is in one of the results."""
        ranking = self.rankings.get(composition)
        tests = [self.member(key, parameters) for key in (ranking.results if ranking else ())]
        return f"({' OR '.join(tests) or '0'})"


@dataclass(frozen=True, slots=True)
class InHand(Logged):
    """Memberships of a few profiles, as the profiles' rows have them: nothing is newer.

    `held` are the members among them, by segment; `found` are those of segments that
    have been decided anew, for which it is too late to ask the rows.
    """

    held: Mapping[str, Sequence[int]] = field(default_factory=dict)
    found: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def member(self, segment: str, parameters: Parameters) -> str:
        """Return SQL for whether the profile is a member."""
        decided = self.found.get(segment)
        return _among(self.held.get(segment, ()) if decided is None else decided, parameters)

    def ranked(self, composition: str, parameters: Parameters) -> str:
        """Return SQL for whether the last rank of everybody has left the profile in."""
        ranking = self.rankings.get(composition)
        results = ranking.results if ranking else ()
        tests = [_among(self.held.get(key, ()), parameters) for key in results]
        return f"({' OR '.join(tests) or '0'})"


@dataclass(frozen=True, slots=True)
class Found(Logged):
    """Memberships as an evaluation of everybody has found them so far, and ranks among those."""

    evaluation: UUID | None = None
    asked: frozenset[str] = frozenset()
    words: Vocabulary = field(default_factory=Vocabulary)

    def member(self, segment: str, parameters: Parameters) -> str:
        """Return SQL for whether the profile is a member."""
        if segment in self.asked:
            return f"(profile_id IN {self._found(segment, parameters)})"
        return Logged.member(self, segment, parameters)

    def ranked(self, composition: str, parameters: Parameters) -> str:
        """Return SQL for whether the profile comes early enough; ties go to the older one."""
        ranking = self.rankings[composition]
        bound = bind(Field(ranking.by), PROFILE, self.words)
        if bound is None:  # its schema has gone: nobody has a rank
            return "0"
        columns = Columns("ranked")
        value = TableFrame(PROFILE, columns).read(bound).text
        order = "DESC" if ranking.descending else "ASC"
        return f"""(profile_id IN (SELECT profile_id FROM (
  SELECT profile_id{columns.listed()}
  FROM profiles FINAL WHERE sandbox_id = {{sandbox:UInt32}}
    AND profile_id IN {self._found(base_name(composition), parameters)})
  ORDER BY {value} {order}, profile_id LIMIT {int(ranking.limit)}))"""

    def _found(self, name: str, parameters: Parameters) -> str:
        evaluation = parameters.text(str(self.evaluation))
        return _FOUND.format(evaluation=evaluation, segment=parameters.text(name))


def _among(profiles: Sequence[int], parameters: Parameters) -> str:
    return f"(profile_id IN {parameters.numbers(profiles)})"


def _share(share: Share, parameters: Parameters) -> str:
    """Return SQL for a place that follows from the seed and the profile's id alone."""
    place = f"(cityHash64({parameters.text(share.seed)}, profile_id) % {PARTS})"
    return f"({place} >= {share.start} AND {place} < {share.end})"
