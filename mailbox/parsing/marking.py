"""Links and pictures of a stranger's HTML, rewritten in its tree before the allow-list sees it.

The addresses that this writes are noted in `Written`, and the allow-list lets no other through: where two
parsers read one text differently, the difference is without a link and without a picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import lxml.html

from mailbox.parsing import text
from mailbox.parsing.links import Speech, destination, speech

MAX_PICTURES = 40
MAX_WORDS = 2000
MAX_ALT = 200
# Where a stored picture's address stands: no browser loads it from there.
REMEMBERED = "data-picture"
HOST, ODD, ALT = "host", "host odd", "picture"

# Their content is no text to be shown, or the two parsers disagree on where it ends.
_GONE = {
    "script", "style", "template", "noscript", "title", "iframe", "object", "embed", "svg", "math", "select",
    "textarea", "image", "noembed", "noframes",
}  # fmt: skip
_UNWRAPPED = {"xmp", "plaintext", "listing"}
_TINY = re.compile(
    r"(?:^|[;\s])(?:(?:max-)?(?:width|height)\s*:\s*[01](?:\.\d+)?(?:px)?\s*(?:;|!|$)"
    r"|display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\s{0,9}(\d{1,4})(?:\.\d{1,9})?(?:px)?\s{0,9}", re.IGNORECASE)
_ADDRESSES = re.compile(r"mailto:([^?#]{1,500})", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@,;()\"]{1,64}@[^\s<>@,;()\"]{1,253}")

# The address of a picture, to what stands in its place; None leaves it out.
Source = Callable[[str], str | None]


@dataclass
class Written:
    """Every address that was put into the tree."""

    links: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)


def for_storing(root: lxml.html.HtmlElement) -> Written:
    """Links as they are; pictures remembered and not loaded."""
    written = Written()
    for element in _known(root):
        if element.tag == "a":
            _link(element, written)
        elif element.tag == "img":
            _picture(element, written, REMEMBERED, lambda address: address)
    return written


def for_showing(root: lxml.html.HtmlElement, source: Source | None) -> Written:
    """Links with their host behind them; pictures from where `source` says, or their words in their place."""
    written = Written()
    elements = list(_known(root))
    for element in elements:
        if element.tag == "a" and (words := _words(element)) is not None:
            _link(element, written, words)
    for element in elements:
        if element.tag == "img":
            _picture(element, written, "src", source)
    return written


def _known(root: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The elements that are left when what is no text has gone, with no mark but those to come."""
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            continue
        if element.getparent() is not None and (element.tag in _GONE or _is_mark(element)):
            element.drop_tree()
            continue
        element.attrib.pop("class", None)
        if element.tag in _UNWRAPPED and element.getparent() is not None:
            element.drop_tag()
        elif element.getroottree().getroot() is root:
            yield element


def _is_mark(element: lxml.html.HtmlElement) -> bool:
    return element.tag == "bdi" and (element.get("class") or "").split()[:1] == [HOST]


def _words(link: lxml.html.HtmlElement) -> str | None:
    """What a link says, the words of its pictures among it; None where there is nothing to press."""
    found, length, pictures = [], 0, False
    for part in link.iter():
        if length > MAX_WORDS:
            break
        if part.tag == "img":
            pictures = True
        said = f" {part.get('alt') or ''} " if part.tag == "img" else part.text or ""
        said += (part.tail or "") if part is not link else ""
        found.append(said)
        length += len(said)
    words = "".join(found)[:MAX_WORDS]
    return words if pictures or words.strip() else None


def _link(link: lxml.html.HtmlElement, written: Written, words: str | None = None) -> None:
    href = link.attrib.pop("href", None)
    if href is None:
        return
    if mail := _ADDRESSES.match(href.strip()):
        link.set("href", href.strip())
        written.links.add(href.strip())
        if words is not None:
            _mark_address(link, unquote(mail[1]), words)
        return
    found = destination(href)
    if found is None:
        return
    link.set("href", found.href)
    written.links.add(found.href)
    if words is None:
        return
    said = speech(words, found.host)
    if said is Speech.SAYS_ANOTHER:
        _mark(link, f"goes to {found.shown}", ODD)
    elif said is Speech.SILENT or len(words) >= MAX_WORDS:
        _mark(link, found.shown, HOST)


def _mark_address(link: lxml.html.HtmlElement, address: str, words: str) -> None:
    address = text.one_line(address, MAX_ALT)
    named = {name.casefold().rstrip(".") for name in _ADDRESS.findall(words)}
    if not named:
        _mark(link, address, HOST)
    elif named != {address.casefold()}:
        _mark(link, f"goes to {address}", ODD)


def _mark(link: lxml.html.HtmlElement, said: str, kind: str) -> None:
    """Its own direction: what a stranger wrote before it cannot turn it around."""
    mark = link.makeelement("bdi", {"class": kind})
    mark.text = said
    if len(link):
        link[-1].tail = _spaced(link[-1].tail)
    else:
        link.text = _spaced(link.text)
    link.append(mark)


def _spaced(before: str | None) -> str:
    before = before or ""
    return before if before[-1:].isspace() else f"{before} "


def _picture(img: lxml.html.HtmlElement, written: Written, place: str, source: Source | None) -> None:
    """A picture has an address of the web, and a size that can be seen."""
    found = destination(img.get("src") or img.get(REMEMBERED) or "")
    alt = text.one_line(img.get("alt") or "", MAX_ALT)
    sizes = {name: size[1] for name in ("width", "height") if (size := _SIZE.fullmatch(img.get(name) or ""))}
    seen = not any(int(size) <= 1 for size in sizes.values()) and not _TINY.search(img.get("style") or "")
    img.attrib.clear()
    put = None
    if found and seen and source and len(written.pictures) < MAX_PICTURES:
        put = source(found.href)
    if put:
        written.pictures.add(put)
        img.set(place, put)
        img.attrib.update({"alt": alt, **sizes})
    elif alt:
        img.tag = "bdi"
        img.set("class", ALT)
        img.text = alt
    else:
        img.drop_tree()
