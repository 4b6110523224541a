"""HTML that strangers wrote: made safe to show, or made plain text.

Order matters: split quotes off first, clean last. `keep` gives what is stored, `clean` what is shown: in a
sandboxed frame without scripts, though it runs and loads nothing from anywhere even outside of one. Pictures
are remembered by `keep`, and shown by `clean` only from addresses of our own that its caller makes.
"""

from __future__ import annotations

import inscriptis
import lxml.etree
import lxml.html
import nh3
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from mailbox.parsing import marking, text

MAX_HTML = 512 * 1024
MAX_TEXT = 256 * 1024
MAX_ELEMENTS = 10_000
MAX_LIST_DEPTH = 4

_TAG_NAMES = """
a abbr b bdi bdo big blockquote br center cite code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p
pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var wbr
"""
_TAGS = frozenset(_TAG_NAMES.split())
_DROPPED_WHOLE = {
    "script",
    "style",
    "template",
    "noscript",
    "title",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
}
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "img": {"alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
}
_REL = "noopener noreferrer nofollow"
_SILENT = {
    "script",
    "style",
    "head",
    "title",
    "template",
    "noscript",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "select",
    "textarea",
}
_BLOCKS = {
    "table": "div",
    "tbody": "div",
    "thead": "div",
    "tfoot": "div",
    "tr": "div",
    "td": "span",
    "th": "span",
    "pre": "div",
}


def parse(html: str) -> lxml.html.HtmlElement | None:
    """The tree of at most 512 KB of HTML, 256 deep and 10,000 elements wide; None where there is none."""
    html = text.clean(html, MAX_HTML)
    if not html.strip():
        return None
    parser = lxml.html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, encoding="utf-8")
    try:
        root = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError, AssertionError):
        return None
    _thin(root)
    return root


def _thin(root: lxml.html.HtmlElement) -> None:
    """Elements past the limit, taken off."""
    surplus = [element for count, element in enumerate(root.iter()) if count >= MAX_ELEMENTS]
    for element in reversed(surplus):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)


def to_text(html: str) -> str:
    """The words of `html` on lines as a browser would break them; links are their words alone."""
    root = parse(html)
    if root is None:
        return ""
    _plain(root)
    try:
        found = inscriptis.Inscriptis(root, ParserConfig(css=CSS_PROFILES["strict"])).get_text()
    except RecursionError:
        found = " ".join(root.itertext())
    lines = [line.rstrip() for line in text.clean(found, MAX_TEXT).replace("\u00a0", " ").split("\n")]
    return _collapse_blank(lines).strip("\n")


def _plain(root: lxml.html.HtmlElement) -> None:
    """Leaves what makes lines and words: widths, margins and grids would let a small mail grow large."""
    for element in list(root.iter()):
        tag = element.tag
        if not isinstance(tag, str):
            continue
        if tag in _SILENT and element.getparent() is not None:
            element.drop_tree()
            continue
        element.attrib.clear()
        if tag in ("td", "th"):
            element.tail = " " + (element.tail or "")
        if tag in ("ul", "ol") and sum(1 for _ in element.iterancestors("ul", "ol")) >= MAX_LIST_DEPTH:
            element.tag = "div"
        if element.tag in _BLOCKS:
            element.tag = _BLOCKS[element.tag]


def _collapse_blank(lines: list[str]) -> str:
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1].strip()):
            kept.append(line)
    return "\n".join(kept)


def keep(html: str) -> str:
    """What of `html` is stored: as `clean` shows it, without its marks, and with its pictures remembered."""
    root = parse(html)
    return "" if root is None else _allowed(root, marking.for_storing(root), marking.REMEMBERED)


def clean(html: str, *, picture: marking.Source | None = None) -> str:
    """`html` without scripts, styles, forms or anything else that acts or loads.

    Links keep http, https and mailto, open elsewhere without telling where they stood, and show the host that
    they lead to where their words do not. Pictures stand there as their words, unless `picture` makes an
    address of our own for theirs.
    """
    root = parse(html)
    return "" if root is None else _allowed(root, marking.for_showing(root, picture), "src")


def pictures(html: str) -> list[str]:
    """The addresses of the pictures that `clean` would ask for, in their order."""
    found: list[str] = []

    def note(address: str) -> str:
        found.append(address)
        return address

    root = parse(html)
    if root is not None:
        marking.for_showing(root, note)
    return found


def _allowed(root: lxml.html.HtmlElement, written: marking.Written, place: str) -> str:
    """The tree as HTML, through the allow-list; of addresses only those that we have written."""

    def known(tag: str, name: str, value: str) -> str | None:
        if name == "href":
            return value if value in written.links else None
        if name == place:
            return value if value in written.pictures else None
        return value

    # The parser has bounded the depth: nh3 takes time with the square of it.
    shallow = lxml.html.tostring(root, encoding="unicode", method="html")
    return nh3.clean(
        shallow,
        tags={*_TAGS, "img"} if written.pictures else set(_TAGS),
        clean_content_tags=_DROPPED_WHOLE,
        attributes={**_ATTRIBUTES, "img": {*_ATTRIBUTES["img"], place}},
        attribute_filter=known,
        allowed_classes={"bdi": {"host", "odd", "picture"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=_REL,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )
