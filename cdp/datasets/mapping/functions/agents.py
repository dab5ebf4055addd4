"""Functions that read a browser's user agent."""

from functools import partial
from typing import Any, Final

import ua_parser

from cdp.datasets.mapping.functions.registry import function, text_of

agent_function = partial(function, area="user agent")
_SAFARI: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/16.1 Mobile/15E148 Safari/604.1"
)
_LONGEST: Final = 1_000


@agent_function(
    "ua_os_name(agent)", "Name the operating system.",
    example=(f'ua_os_name("{_SAFARI}")', "iOS"),
)  # fmt: skip
def ua_os_name(agent: Any) -> str | None:
    return getattr(_parsed(agent).os, "family", None)


@agent_function(
    "ua_os_version_major(agent)", "Say the operating system's version in short.",
    example=(f'ua_os_version_major("{_SAFARI}")', "16"),
)  # fmt: skip
def ua_os_version_major(agent: Any) -> str | None:
    return getattr(_parsed(agent).os, "major", None)


@agent_function(
    "ua_os_version(agent)", "Say the operating system's version.",
    example=(f'ua_os_version("{_SAFARI}")', "16.1"),
)  # fmt: skip
def ua_os_version(agent: Any) -> str | None:
    return _version(_parsed(agent).os)


@agent_function(
    "ua_os_name_version(agent)", "Name the operating system with its version.",
    example=(f'ua_os_name_version("{_SAFARI}")', "iOS 16.1"),
)  # fmt: skip
def ua_os_name_version(agent: Any) -> str | None:
    parts = [ua_os_name(agent), ua_os_version(agent)]
    return " ".join(part for part in parts if part) or None


@agent_function(
    "ua_agent_name(agent)", "Name the browser.",
    example=(f'ua_agent_name("{_SAFARI}")', "Mobile Safari"),
)  # fmt: skip
def ua_agent_name(agent: Any) -> str | None:
    return getattr(_parsed(agent).user_agent, "family", None)


@agent_function(
    "ua_agent_version_major(agent)", "Say the browser's version in short.",
    example=(f'ua_agent_version_major("{_SAFARI}")', "16"),
)  # fmt: skip
def ua_agent_version_major(agent: Any) -> str | None:
    return getattr(_parsed(agent).user_agent, "major", None)


@agent_function(
    "ua_agent_version(agent)", "Say the browser's version.",
    example=(f'ua_agent_version("{_SAFARI}")', "16.1"),
)  # fmt: skip
def ua_agent_version(agent: Any) -> str | None:
    return _version(_parsed(agent).user_agent)


@agent_function(
    "ua_device_class(agent)", "Tell Phone, Tablet, Robot and Desktop apart.",
    example=(f'ua_device_class("{_SAFARI}")', "Phone"),
)  # fmt: skip
def ua_device_class(agent: Any) -> str:
    parsed, text = _parsed(agent), text_of(agent)
    family = getattr(parsed.device, "family", "") or ""
    system = getattr(parsed.os, "family", "") or ""
    if family == "Spider":
        return "Robot"
    if "iPad" in family or "Tablet" in text or (system == "Android" and "Mobile" not in text):
        return "Tablet"
    return "Phone" if "Mobi" in text or system in ("iOS", "Android") else "Desktop"


def _parsed(agent: Any) -> Any:
    return ua_parser.parse(text_of(agent)[:_LONGEST])


def _version(part: Any) -> str | None:
    numbers = (getattr(part, name, None) for name in ("major", "minor", "patch"))
    return ".".join(number for number in numbers if number) or None
