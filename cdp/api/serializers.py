"""The base of what goes in."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """A shape that refuses fields it does not know, with the name that was probably meant."""

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
