"""A model's own rules as the API's refusal."""

from django.core.exceptions import ValidationError
from django.db import models

from cdp.errors import FieldError, Invalid


def clean(row: models.Model) -> None:
    """Run the fields' and the row's own checks; raise `Invalid` that lists every one that failed.

    Uniqueness is left to the database, which alone can decide it among many workers.
    """
    try:
        row.clean_fields()
        row.clean()
    except ValidationError as error:
        raise Invalid(
            "Some values are not valid; see `errors`.", errors=_field_errors(error)
        ) from error


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [
        FieldError(path=path, code=problem.code or "invalid", detail=" ".join(problem.messages))
        for path, problems in error.error_dict.items()
        for problem in problems
    ]
