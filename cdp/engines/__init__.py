"""The three engines as processes of our own: start, watch, stop, back up.

Knows no Django and nothing else of the project, so that it can run before
anything is configured. `ephemeral` gives tests throw-away engines.
"""

from cdp.engines.ephemeral import ephemeral
from cdp.engines.errors import EngineError
from cdp.engines.urls import Urls

__all__ = ["EngineError", "Urls", "ephemeral"]
