"""The front door, seen from behind it: where a request came from, and where a visitor may be sent.

The front door (Caddyfile) replaces X-Forwarded-For and adds a secret that only it and the services know. Without that
secret the header counts for nothing, so that nobody beside the front door can make up an address and escape the
throttle, or make another address look guilty.
"""

import re
from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import urlsplit

from app.settings import get_settings

SECRET_HEADER = "x-proxy-secret"  # noqa: S105 - the header's name, not its value


_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def own_path(wanted: str) -> str | None:
    """A path of ours, as it is; None for what could lead a browser elsewhere."""
    return wanted if _OWN_PATH.fullmatch(wanted) else None


def front_origin() -> str:
    """Scheme, host and port of the address that people open."""
    front = urlsplit(get_settings().front_url)
    return f"{front.scheme}://{front.netloc}"


def client_address(headers: Mapping[str, str], peer: str | None) -> str:
    """The visitor's address: the peer's, or what the front door says of a request it brought."""
    secret = get_settings().proxy_secret
    shown = headers.get(SECRET_HEADER, "")
    if secret and secret.get_secret_value() and compare_digest(shown.encode(), secret.get_secret_value().encode()):
        brought = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if brought:
            return brought
    return peer or "unknown"
