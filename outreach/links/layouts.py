"""Which column of a backlink list holds what: exports of Search Console, Ahrefs, Semrush, and plain ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

# Names of columns in lower case, the surest first.
SOURCE = (
    "linking page",
    "referring page url",
    "source url",
    "source_url",
    "source page",
    "url from",
    "from url",
    "backlink url",
    "link from",
    "linking url",
    "page url",
    "source",
    "from",
    "backlink",
    "page",
    "url",
)
TARGET = (
    "target url",
    "target_url",
    "link url",
    "url to",
    "to url",
    "destination url",
    "target page",
    "link to",
    "links to",
    "target",
    "to",
)
ANCHOR = ("anchor", "link anchor", "anchor text", "anchor_text")
NOFOLLOW = ("nofollow", "no follow", "rel nofollow")
FIRST_SEEN = ("first seen", "first_seen", "first found", "discovered")
DOMAIN = ("site", "linking site", "domain", "referring domain", "source domain")
# Columns that only one tool writes together.
_SIGNS = (
    ("Google Search Console, linking pages", {"linking page"}),
    ("Google Search Console, linking sites", {"site", "linking pages"}),
    ("Ahrefs", {"referring page url"}),
    ("Semrush", {"source url", "target url", "page ascore"}),
    ("Semrush", {"source url", "target url", "last seen", "nofollow"}),
)


class NoColumn(ValueError):
    """No column holds linking pages; the message is the sentence, `columns` what the file has."""

    def __init__(self, sentence: str, columns: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.columns = list(columns)


@dataclass(frozen=True)
class Layout:
    """Positions of columns; `target` None: the project's website. `domains`: rows name sites, not pages."""

    name: str
    source: int
    target: int | None = None
    anchor: int | None = None
    nofollow: int | None = None
    first_seen: int | None = None
    domains: bool = False
    header: bool = True


def recognise(first: Sequence[str], *, source: str = "", target: str = "") -> Layout:
    """The layout that the first row tells; `source` and `target` name columns by hand. Raises NoColumn."""
    cells = [cell.strip().strip('"').strip() for cell in first]
    names = [re.sub(r"\s+", " ", cell.lower()) for cell in cells]
    if source:
        aim = _named(names, target) if target else None
        return _with_extras(Layout("chosen by hand", _named(names, source), aim), names)
    if cells and _is_address(cells[0]):
        # A list without a first row of names: the linking page, then perhaps the page that is linked to.
        cells = cells if len(cells) > 1 else cells[0].split()
        second = len(cells) > 1 and _is_address(cells[1])
        return Layout("without column names", 0, 1 if second else None, header=False)
    page = _first(names, SOURCE)
    tool = next((label for label, signs in _SIGNS if signs <= set(names)), "")
    if "linking pages" in names and page is None:
        page = _first(names, DOMAIN)
        if page is not None:
            return Layout(tool or "linking sites", page, domains=True)
    if page is None and "incoming links" in names:
        raise NoColumn(
            "This export lists your own pages. Take “More sample links” or “Latest links” instead.", cells
        )
    if page is None:
        listed = ", ".join(f"“{cell[:40]}”" for cell in cells[:8] if cell) or "none"
        raise NoColumn(
            f"No column is called “Source URL” or “Linking page”. The file has: {listed}. "
            "Say below which one holds the linking pages.",
            [cell for cell in cells if cell],
        )
    aim = _first(names, TARGET)
    return _with_extras(Layout(tool or "columns by their names", page, None if aim == page else aim), names)


def _with_extras(layout: Layout, names: Sequence[str]) -> Layout:
    return replace(
        layout,
        anchor=_first(names, ANCHOR),
        nofollow=_first(names, NOFOLLOW),
        first_seen=_first(names, FIRST_SEEN),
    )


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _named(names: Sequence[str], wanted: str) -> int:
    name = re.sub(r"\s+", " ", wanted.strip().lower())
    if name not in names:
        raise NoColumn(f"There is no column called “{wanted[:60]}”.", list(names))
    return list(names).index(name)


def _is_address(cell: str) -> bool:
    return re.match(r"(?:https?://|[\w-]+(?:\.[\w-]+)+(?:[/:?]|$))", cell, re.IGNORECASE) is not None
