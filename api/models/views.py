"""Bodies and answers of /views."""

from pydantic import BaseModel

from api.models.actions import Body, Version
from api.models.values import Flag
from app.saved_views import SavedView, ViewPage


class ViewList(BaseModel):
    """Own views and those that colleagues share, own first."""

    items: list[SavedView]


class NewView(Body):
    """Filters under a name: address parameters, each a list of values."""

    page: ViewPage
    name: str
    query: dict[str, list[str]]
    is_shared: Flag


class ViewChange(NewView):
    """An own view as it shall be."""

    version: Version


class ViewRemoval(Body):
    """The version of the view that is taken away."""

    version: Version
