"""Addresses in messages: the one place that knows how a page is reached from outside."""

from urllib.parse import quote
from uuid import UUID

from app.settings import get_settings


def page_url(address: str) -> str:
    """A page by its address, such as `my-day`: within the shell, or without a front door alone."""
    settings = get_settings()
    base = f"{settings.public_url.rstrip('/')}/pages" if settings.public_url else settings.streamlit_url.rstrip("/")
    return f"{base}/{address}"


def action_url(action_id: UUID) -> str:
    """The action opened beside its list."""
    return f"{page_url('actions')}?action={action_id}"


def account_url(account_key: str) -> str:
    """One account's page."""
    return f"{page_url('account')}?account={quote(account_key, safe='')}"
