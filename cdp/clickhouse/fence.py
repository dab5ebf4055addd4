"""Tie every query to one sandbox.

Two fences. `check` reads the text of a statement and refuses it unless each table
it names is compared with the sandbox; `engine_filter` has the store add the same
condition to every table on its own. The first catches our mistakes where they are
written, the second those that a text cannot show, such as an `OR`.
"""

from collections.abc import Iterable, Iterator, Sequence

from cdp.clickhouse.errors import QueryNotFenced
from cdp.clickhouse.tokens import Token, tokenize

SANDBOX = "{sandbox:UInt32}"
STATEMENTS = {"SELECT", "WITH", "(", "INSERT", "ALTER", "DELETE"}
SERIES = {"NUMBERS", "VALUES", "GENERATESERIES", "GENERATE_SERIES"}  # hold nobody's data
# These read tables, files or addresses without naming a table of ours.
READERS = {"FILE", "URL", "REMOTE", "CLUSTER", "S3", "JOINGET", "JOINGETORNULL", "HASCOLUMNINTABLE"}
# A comma after one of these separates expressions, not tables.
AFTER_SOURCES = {
    *("WHERE", "PREWHERE", "GROUP", "ORDER", "LIMIT", "HAVING"),
    *("UNION", "WINDOW", "QUALIFY", "ARRAY", "USING"),
}
END = Token("end", "")


def check(sql: str, tables: Iterable[str]) -> None:
    """Raise `QueryNotFenced` unless the statement touches one sandbox only.

    >>> check("SELECT count() FROM events WHERE sandbox_id = {sandbox:UInt32}", {"events"})
    >>> check("SELECT count() FROM events", {"events"})
    Traceback (most recent call last):
    ...
    cdp.clickhouse.errors.QueryNotFenced: 1 named (events), 0 compared: write sandbox_id = {sandbox:UInt32} once for each table.
    """
    statement = _Statement(tokenize(sql), set(tables))
    statement.refuse_ways_out()
    read = list(statement.tables_read())
    written = list(statement.tables_written())
    if not read and not written:
        raise QueryNotFenced("The statement names none of our tables.")
    compared = statement.comparisons()
    if compared < len(read):
        raise QueryNotFenced(
            f"{len(read)} named ({', '.join(read)}), {compared} compared: "
            f"write sandbox_id = {SANDBOX} once for each table."
        )


def engine_filter(sandbox_id: int, tables: Iterable[str]) -> dict[str, str]:
    """Return the setting that has the store itself filter every table to the sandbox."""
    return {table: f"sandbox_id = {int(sandbox_id)}" for table in sorted(tables)}


class _Statement:
    """The words of one statement and what they say about tables."""

    def __init__(self, tokens: Sequence[Token], known: set[str]) -> None:
        self.tokens, self.known = tokens, known
        self.named_here = {  # WITH name AS (
            token.text
            for at, token in enumerate(tokens)
            if token.kind == "name" and self[at + 1].word == "AS" and self[at + 2].text == "("
        }

    def __getitem__(self, at: int) -> Token:
        return self.tokens[at] if 0 <= at < len(self.tokens) else END

    def refuse_ways_out(self) -> None:
        """Refuse what could reach past the tables that the text names."""
        if self[0].word not in STATEMENTS:
            raise QueryNotFenced(
                f"{self[0].text or 'Nothing'} is no statement for the event store."
            )
        if self[0].word == "ALTER" and self[3].word not in {"DELETE", "UPDATE"}:
            raise QueryNotFenced("ALTER may only DELETE or UPDATE rows here.")
        if hidden := self.named_here & self.known:
            raise QueryNotFenced(f"WITH {hidden.pop()} hides a table of that name.")
        for at, token in enumerate(self.tokens):
            self._refuse_way_out(at, token)

    def _refuse_way_out(self, at: int, token: Token) -> None:
        follows = self[at + 1].text
        if token.text == ";" and follows:
            raise QueryNotFenced("One statement at a time.")
        if token.kind == "parameter" and token.text.endswith(":Identifier}"):
            raise QueryNotFenced("A name is no parameter here: write it out.")
        if token.kind != "name":
            return
        if token.text.lower() in {"system", "information_schema"} and follows == ".":
            raise QueryNotFenced(f"{token.text} is every sandbox's.")
        if follows == "(" and (token.word in READERS or token.word.startswith("DICT")):
            raise QueryNotFenced(f"{token.text}() reads outside of the fence.")
        if follows == "(" and token.is_quoted and self[at - 1].word != "INTO":
            raise QueryNotFenced(f"{token.text}() is in quotes: no function is called so here.")
        if token.word == "AS" and follows == "sandbox_id":
            raise QueryNotFenced("An alias sandbox_id hides the column that fences the query.")
        if token.word == "SETTINGS" and self[at + 1].kind == "name" and self[at + 2].text == "=":
            raise QueryNotFenced("Settings go with the call, not into the text.")
        if token.word == "IN" and self[at + 1].kind == "name" and self[at + 2].text != "(":
            raise QueryNotFenced("After IN comes a list, a parameter or a sub-query.")

    def tables_read(self) -> Iterator[str]:
        """Yield each table once for every time it is read, deleted from or altered."""
        for at, token in enumerate(self.tokens):
            if token.kind != "name":
                continue
            if token.word == "TABLE" and self[at - 1].word == "ALTER":
                yield self._table(at + 1)
            elif token.word == "JOIN" and self[at - 1].word != "ARRAY":
                yield from self._source(at + 1)
            elif token.word == "FROM" and not self._is_argument(at):
                yield from self._sources(at + 1)

    def tables_written(self) -> Iterator[str]:
        """Yield the table of an INSERT ... SELECT, whose first column must be the sandbox."""
        for at, token in enumerate(self.tokens):
            if token.kind == "name" and token.word == "INTO":
                yield self._table(at + 1)
                if [self[at + 2].text, self[at + 3].text] != ["(", "sandbox_id"]:
                    raise QueryNotFenced("Name the columns of the INSERT, sandbox_id first.")
                self._require_sandbox_first()

    def comparisons(self) -> int:
        """Count how often a column sandbox_id is compared with the parameter."""
        wanted = ["sandbox_id", "=", SANDBOX]
        places = range(len(self.tokens))
        return sum([token.text for token in self.tokens[at : at + 3]] == wanted for at in places)

    def _sources(self, at: int) -> Iterator[str]:
        """Yield the tables of a FROM: the one that stands here, and after each comma of its level."""
        yield from self._source(at)
        depth = 0
        while (token := self[at]) is not END:
            depth += (token.text == "(") - (token.text == ")")
            if depth < 0 or (depth == 0 and token.kind == "name" and token.word in AFTER_SOURCES):
                return
            if depth == 0 and token.text == ",":
                yield from self._source(at + 1)
            at += 1

    def _source(self, at: int) -> Iterator[str]:
        token, follows = self[at], self[at + 1].text
        if token.text == "(" or (token.text in self.named_here and follows != "."):
            return  # a sub-query shows its own tables
        if token.kind == "name" and token.word in SERIES and follows == "(":
            return
        yield self._table(at)

    def _table(self, at: int) -> str:
        token = self[at]
        if token.kind != "name" or token.text not in self.known or self[at + 1].text == ".":
            raise QueryNotFenced(f"{token.text or 'Nothing'} is not one of our tables.")
        return token.text

    def _is_argument(self, at: int) -> bool:
        """Tell whether a FROM belongs to a function: `extract(year FROM ts)`."""
        depth = 0
        for back in range(at - 1, -1, -1):
            text = self[back].text
            depth += (text == ")") - (text == "(")
            if depth < 0:
                return self[back - 1].word in {"EXTRACT", "TRIM", "SUBSTRING"}
            if depth == 0 and self[back].word in {"SELECT", "DELETE"}:
                return False
        return False

    def _require_sandbox_first(self) -> None:
        depth = 0
        for at, token in enumerate(self.tokens):
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0 and token.word == "SELECT" and self[at + 1].text != SANDBOX:
                raise QueryNotFenced(f"The first column of what is inserted must be {SANDBOX}.")
