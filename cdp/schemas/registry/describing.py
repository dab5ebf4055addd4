"""A schema's fields with what its descriptors say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cdp.schemas.registry.descriptors import Descriptor, DescriptorKind
from cdp.schemas.registry.fields import Field, labelled
from cdp.schemas.registry.validation import IdentityDescriptor


def described_fields(
    fields: Mapping[str, Field], descriptors: Sequence[Descriptor]
) -> dict[str, Field]:
    """Put labels, identities, deprecation and other names onto the fields.

    A descriptor whose path has gone, which an unused schema allows, is passed over.
    """
    valid = [d for d in descriptors if all(path in fields for path in d.paths)]
    labels = {d.path: d.settings["labels"] for d in valid if d.kind is DescriptorKind.LABEL}
    described = labelled(fields, labels)
    for descriptor in valid:
        place = described[descriptor.path]
        described[place.path] = _described(place, descriptor)
    return described


def identities_of(
    fields: Mapping[str, Field], descriptors: Sequence[Descriptor]
) -> tuple[IdentityDescriptor, ...]:
    """List the identity fields, the primary one first."""
    found = [
        IdentityDescriptor(d.path, d.settings["namespace"], bool(d.settings.get("primary")))
        for d in descriptors
        if d.kind is DescriptorKind.IDENTITY and d.path in fields
    ]
    return tuple(sorted(found, key=lambda identity: (not identity.primary, identity.path)))


def _described(place: Field, descriptor: Descriptor) -> Field:
    settings = descriptor.settings
    match descriptor.kind:
        case DescriptorKind.IDENTITY:
            primary = bool(settings.get("primary"))
            return replace(place, namespace=settings["namespace"], primary=primary)
        case DescriptorKind.DEPRECATED:
            return replace(place, deprecated=True)
        case DescriptorKind.ALTERNATE_DISPLAY:
            return replace(
                place,
                title=_in_english(settings.get("title"), place.title),
                description=_in_english(settings.get("description"), place.description),
            )
    return place


def _in_english(words: Mapping[str, str] | None, default: str) -> str:
    """Pick the English wording, or any; front ends read the descriptor for the others."""
    if not words:
        return default
    return next((words[key] for key in words if key.startswith("en")), next(iter(words.values())))
