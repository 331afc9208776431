"""Where a request came from, when it came through the front door.

The front door (Caddyfile) replaces X-Forwarded-For and adds a secret that only it and the services know. Without that
secret the header counts for nothing, so that nobody beside the front door can make up an address and escape the
throttle, or make another address look guilty.
"""

from collections.abc import Mapping
from hmac import compare_digest

from app.settings import get_settings

SECRET_HEADER = "x-proxy-secret"  # noqa: S105 - the header's name, not its value


def client_address(headers: Mapping[str, str], peer: str | None) -> str:
    """The visitor's address: the peer's, or what the front door says of a request it brought."""
    secret = get_settings().proxy_secret
    shown = headers.get(SECRET_HEADER, "")
    if secret and secret.get_secret_value() and compare_digest(shown.encode(), secret.get_secret_value().encode()):
        brought = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if brought:
            return brought
    return peer or "unknown"
