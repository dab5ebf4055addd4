"""The base of what goes in."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

_MOST_NAMED: Final = 30
_Shape = TypeVar("_Shape", bound=type[serializers.Serializer[Any]])


class StrictSerializer(serializers.Serializer[Any]):
    """A shape that refuses fields it does not know, with the name that was probably meant.

    What it refuses of a choice or a pattern it answers with what would have been taken.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            _tell_what_fits(field)
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                {name: self._unknown(name) for name in sorted(unknown, key=str)}
            )
        return super().to_internal_value(data)

    def _unknown(self, name: object) -> serializers.ErrorDetail:
        meant = get_close_matches(str(name), list(self.fields), n=1)
        hint = f" Did you mean '{meant[0]}'?" if meant else ""
        return serializers.ErrorDetail(f"There is no field '{name}'.{hint}", code="unknown_field")


def example(value: dict[str, Any]) -> Callable[[_Shape], _Shape]:
    """Show a shape by an example, in the document and on its page."""
    shown = OpenApiExample("Example", value=value, request_only=True)
    decorated: Callable[[_Shape], _Shape] = extend_schema_serializer(examples=[shown])
    return decorated


def read_query(request: Request, shape: type[StrictSerializer]) -> dict[str, Any]:
    """Return the query's values. Raises the framework's `ValidationError`."""
    given = shape(data=request.query_params.dict())
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values


def none_of(given: str, choices: Iterable[object]) -> str:
    """Say that something is no choice, and which there are."""
    return f"'{given}' is none of: {', '.join(str(choice) for choice in choices)}."


def _tell_what_fits(field: Any) -> None:
    if isinstance(field, serializers.ListField | serializers.DictField):
        _tell_what_fits(field.child)
    elif isinstance(field, serializers.ChoiceField) and len(field.choices) <= _MOST_NAMED:
        field.error_messages["invalid_choice"] = none_of("{input}", field.choices)
    elif isinstance(field, serializers.RegexField):
        for validator in field.validators:
            if isinstance(validator, RegexValidator):
                pattern = re.compile(validator.regex).pattern
                validator.message = f"This does not match the pattern {pattern}"
