"""Schemas of standard field groups, for tests that need no database."""

from typing import Any

from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS, standard_resources
from cdp.schemas.registry.composing import compose
from cdp.schemas.registry.validation import CompiledSchema, compile_schema
from tests.schemas.making import (
    ANALYTICS,
    AUDIT,
    COMMERCE,
    CONSENTS,
    CONSUMER,
    CONTACT,
    DEMOGRAPHIC,
    END_USER_IDS,
    NS,
    WEB,
    WEB_SDK,
)

EVENT = {"_id": "e-1", "timestamp": "2026-03-01T10:00:00.000Z"}


def compiled(class_uri: str, *groups: str) -> CompiledSchema:
    """Compile a schema of a standard class and standard field groups."""
    document = {"title": "Test", "allOf": [{"$ref": uri} for uri in (class_uri, *groups)]}
    composition = compose(document, standard_resources().get)
    return compile_schema(composition.resolved, class_uri=class_uri, behavior=composition.behavior)


def customer_attributes() -> CompiledSchema:
    """Compile what is known of a customer."""
    return compiled(PROFILE_CLASS, DEMOGRAPHIC, CONTACT, AUDIT, CONSENTS)


def digital_transactions() -> CompiledSchema:
    """Compile what happens on sites and in apps."""
    return compiled(EVENT_CLASS, WEB_SDK, WEB, CONSUMER, END_USER_IDS, AUDIT)


def offline_transactions() -> CompiledSchema:
    """Compile what happens in stores."""
    return compiled(EVENT_CLASS, COMMERCE, CONTACT, AUDIT)


def web_connector() -> CompiledSchema:
    """Compile what an analytics product collects."""
    return compiled(EVENT_CLASS, WEB, COMMERCE, ANALYTICS)


def journey_steps() -> CompiledSchema:
    """Compile the steps that people take through journeys."""
    steps = f"{NS}experience/journeyOrchestration/stepEvents/journeyStepEvent"
    return compiled(steps, f"{steps}CommonFields", f"{steps}ActionExecutionFields")


def resolved(**properties: Any) -> dict[str, Any]:
    """Make a schema document of these fields."""
    return {"type": "object", "properties": properties}
