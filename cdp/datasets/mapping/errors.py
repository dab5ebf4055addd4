"""What can be wrong with an expression or with a row that it meets."""


class ExpressionInvalid(ValueError):
    """The text is no expression, or names something that does not exist.

    `position` counts characters from 0 and is None where no place can be told.
    """

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class RowInvalid(ValueError):
    """A row holds a value that the expression cannot work with."""
