"""Text that people or source systems wrote, made safe to stand inside our own Markdown.

A note can hold anything. Streamlit's labels and messages are Markdown: an image in them fetches a foreign address, a
directive takes a colour, `:material/x:` becomes an icon. Backslashes stop the Markdown parser but not the replacements
Streamlit makes afterwards on plain text (icons, emoji short codes, arrows, bare addresses), so those get an invisible
word joiner. Longer texts do not come here at all: they are shown with `st.text`.
"""

import re

WORD_JOINER = "\u2060"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&^=\"'/])")
_REPLACED_LATER = re.compile(
    r"(:)(?=[a-zA-Z0-9_+\-/]+:)|(-)(?=[->])|(<)(?=-)|([<>~!=])(?=[=>])|(@)(?=\w)|(www)(?=\.)|(://)|([a-zA-Z])(?=://)"
)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_FIGURE = re.compile(
    rf"((?<![\w.])(?<!\w-)(?<!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s)(?:[€£$]\s?)?\d[\d,]*(?:\.\d+)?%?(?![\w-])(?!\s(?:{_MONTHS})))"
)
_NEGATIVE = re.compile(r"(?<![\w.)])-(?=\d)")
_SPACES = re.compile(r"\s+")


def escaped(value: str | None, *, limit: int = 200) -> str:
    """`value` on one line, shown literally wherever Streamlit reads Markdown; cut to `limit` characters with an
    ellipsis.

    Empty or missing text becomes an en dash, so that a label is never blank.
    """
    plain = _SPACES.sub(" ", value or "").strip()
    if not plain:
        return "–"
    if len(plain) > limit:
        plain = plain[: limit - 1].rstrip() + "…"
    broken = _REPLACED_LATER.sub(lambda found: found.group(0) + WORD_JOINER, plain)
    return _MARKDOWN.sub(r"\\\1", broken)


def with_minus(value: str) -> str:
    """A sentence of the warehouse with a minus sign before negative figures, where it has a hyphen."""
    return _NEGATIVE.sub("−", value)


def with_bold_figures(value: str | None, *, limit: int = 500) -> str:
    """As `escaped`, with amounts, counts and percentages bold; days of a date stay plain."""
    parts = _FIGURE.split(with_minus(_SPACES.sub(" ", value or "").strip()[:limit]))
    return "".join(f"**{escaped(part)}**" if place % 2 else _kept(part) for place, part in enumerate(parts))


def _kept(part: str) -> str:
    """A stretch between figures, escaped, its outer spaces kept."""
    if not part.strip():
        return part
    before = " " if part[0] == " " else ""
    after = " " if part[-1] == " " else ""
    return f"{before}{escaped(part, limit=500)}{after}"


def shortened(value: str | None, *, limit: int) -> str:
    """`value` on one line and cut to `limit` characters, not escaped: for table cells and plain text only."""
    plain = _SPACES.sub(" ", value or "").strip()
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
