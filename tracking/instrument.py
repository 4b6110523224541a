"""Puts the pixel and the counted links into a mail's HTML, and leaves every other byte as it is.

The parser only finds places; the text is cut at them and never written anew. Not counted: addresses
that are no web addresses (mailto:, #anchors), our own (the opt-out link above all), and links whose
visible text is itself an address, because a reader must not be shown one and led through another
(threats 3, rule 5). For the same reason plain text is never instrumented (promise 38).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from itertools import accumulate

from tracking.tokens import MOST_LINKS, click_url, is_ours, is_web_address, pixel_url

_ATTRIBUTE = re.compile(
    r"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"']+)))?"""
)
_LOOKS_LIKE_ADDRESS = re.compile(
    r"(?:https?:|www\.)|(?<![\w@.])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b", re.IGNORECASE
)


@dataclass
class _Link:
    """The target's place in the text (raw, between the quotes), its value, and what a reader sees."""

    start: int
    end: int
    target: str
    seen: list[str] = field(default_factory=list)

    @property
    def is_counted(self) -> bool:
        return (
            is_web_address(self.target)
            and not is_ours(self.target)
            and not _LOOKS_LIKE_ADDRESS.search("".join(self.seen))
        )


class _Places(HTMLParser):
    """Where the links are, where the body ends, and which images there are."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[_Link] = []
        self.images: set[str] = set()
        self.body_end = len(html)
        self._open: _Link | None = None
        self._line_starts = [0, *accumulate(len(line) + 1 for line in html.split("\n"))]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.add(next((value or "" for name, value in attrs if name == "src"), ""))
        if tag not in ("a", "area"):
            return
        link = self._link(attrs)
        self._open = link if tag == "a" else None
        if link is not None:
            self.links.append(link)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = None
        elif tag == "body":
            self.body_end = self._here()

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.seen.append(data)

    def _here(self) -> int:
        line, column = self.getpos()
        return self._line_starts[line - 1] + column

    def _link(self, attrs: list[tuple[str, str | None]]) -> _Link | None:
        known = next((value for name, value in attrs if name == "href"), None)
        raw = self.get_starttag_text() or ""
        name = re.match(r"<[^\s/>]+", raw)
        if known is None or name is None:
            return None
        for found in _ATTRIBUTE.finditer(raw, name.end()):
            if found[1].lower() != "href":
                continue
            group = next((each for each in ("double", "single", "bare") if found[each] is not None), None)
            # Where the two readings differ the link is left alone.
            if group is None or unescape(found[group]) != known:
                return None
            start, end = found.span(group)
            return _Link(self._here() + start, self._here() + end, known.strip())
        return None


def instrument(html: str, *, workspace_id: uuid.UUID, key: uuid.UUID, opens: bool, clicks: bool) -> str:
    """The same HTML with counted links (numbered from 1 in their order) and the pixel at its end.

    Open the workspace first: a very long target is stored. A second run changes nothing.
    """
    if not (opens or clicks):
        return html
    places = _Places(html)
    parts: list[str] = []
    at = 0
    counted = [link for link in places.links if link.is_counted][:MOST_LINKS] if clicks else []
    for number, link in enumerate(counted, start=1):
        parts += [html[at : link.start], escape(click_url(workspace_id, key, link.target, number))]
        at = link.end
    pixel = pixel_url(workspace_id, key)
    if opens and pixel not in places.images:
        image = f'<img src="{escape(pixel)}" width="1" height="1" alt="">'
        # Malformed HTML may have a link behind the end of its body.
        end = places.body_end if places.body_end >= at else len(html)
        parts += [html[at:end], image]
        at = end
    return "".join([*parts, html[at:]])
