"""One screen that says where everything is."""

from cdp.engines.place import Place
from cdp.engines.program import web_port
from cdp.engines.urls import VARIABLES, current_urls


def where_everything_is(place: Place) -> str:
    """Return the addresses of a running platform, without a secret in them."""
    web = f"http://127.0.0.1:{web_port()}"
    urls = current_urls(place.root)
    lines = [
        "",
        "  The platform is running.",
        "",
        f"  API             {web}/api/v1/",
        f"  Documentation   {web}/api/v1/docs/",
        f"  Console         {web}/admin/",
        f"  State           {web}/readyz",
        "",
        *(
            f"  {variable:<15} {_without_password(getattr(urls, name))}"
            for name, variable in VARIABLES.items()
        ),
        f"  Data            {place.root}",
        f"  Logs            {place.logs}",
        "",
        "  First operator  python manage.py create_operator EMAIL",
        "  Stop            Ctrl-C here, or make down",
        "  Addresses with passwords, for another program: python -m cdp.engines env",
        "",
    ]
    return "\n".join(lines)


def _without_password(url: str) -> str:
    """Hide the password of an address.

    >>> _without_password("http://cdp:secret@127.0.0.1:8123/default")
    'http://cdp:...@127.0.0.1:8123/default'
    """
    before, at, after = url.partition("@")
    scheme, slashes, who = before.partition("://")
    name, colon, password = who.partition(":")
    return f"{scheme}{slashes}{name}{colon}{'...' if password else ''}{at}{after}"
