"""Errors as ClickHouse tells them over HTTP: a status, a code, a line of text."""

import re

CODE = re.compile(r"Code: (\d+)\. ")
NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")

STATUS = {
    "AUTHENTICATION_FAILED": 403,
    "SYNTAX_ERROR": 400,
    "UNKNOWN_SETTING": 400,
    "BAD_ARGUMENTS": 400,
    "CANNOT_PARSE_INPUT_ASSERTION_FAILED": 400,
    "INCORRECT_DATA": 400,
    "UNKNOWN_FORMAT": 400,
    "UNKNOWN_TABLE": 404,
    "UNKNOWN_DATABASE": 404,
    "UNKNOWN_IDENTIFIER": 404,
    "NOT_IMPLEMENTED": 501,
}


class Failure(Exception):
    """A query that was refused or broke, with ClickHouse's code for it."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text}. ({name})")
        self.code, self.name = code, name

    @property
    def status(self) -> int:
        """The HTTP status for it."""
        return STATUS.get(self.name, 500)


def from_engine(error: Exception) -> Failure:
    """Return the engine's complaint as a failure, its text unchanged.

    >>> failure = from_engine(RuntimeError("x: Code: 60. DB::Exception: No t. (UNKNOWN_TABLE)"))
    >>> failure.code, failure.status, str(failure)
    (60, 404, 'Code: 60. DB::Exception: No t. (UNKNOWN_TABLE)')
    """
    text = str(error)
    code, names = CODE.search(text), NAME.findall(text)
    failure = Failure(
        int(code[1]) if code else 1002, names[-1] if names else "UNKNOWN_EXCEPTION", ""
    )
    failure.args = (text[code.start() :] if code else text,)
    return failure
