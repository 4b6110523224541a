"""What a person wrote, apart from the mail they answered and from what stands under every mail of theirs.

Our own mail comes back in quotes with its "unsubscribe" wording, and signatures carry that of their own
company, so opt-outs are looked for in `new` only.
"""

from __future__ import annotations

from dataclasses import dataclass

import lxml.html

from mailbox.parsing import html as markup
from mailbox.parsing import quote_words as words
from mailbox.parsing import text as cleaning

MAX_TEXT = 256 * 1024
MAX_LINES = 5000  # looked at for the place where the quote begins
WINDOW_LINES = 4


@dataclass(frozen=True)
class Split:
    """`new`, `signature` and `quoted` together hold every line, or every element, of what was split."""

    new: str
    quoted: str
    signature: str = ""


def split(body: str, *, html: bool = False) -> Split:
    """A mail's text, or its HTML as the sender wrote it: sanitise each part of that before it is shown."""
    return _split_html(body) if html else _split_text(body)


def _split_text(text: str) -> Split:
    """An answer between or below quoted lines counts as new."""
    lines = cleaning.clean(text, MAX_TEXT).split("\n")
    new: list[str] = []
    quoted: list[str] = []
    index = 0
    while index < len(lines):
        if _is_quoted(lines[index]):
            quoted.append(lines[index])
            index += 1
            continue
        size = _header_at(lines, index) if index < MAX_LINES else 0
        if not size:
            new.append(lines[index])
            index += 1
            continue
        quoted += lines[index : index + size]
        index += size
        following = next((line for line in lines[index : index + 4] if line.strip()), "")
        if not _is_quoted(following):
            # Nothing marks where the quote ends: it goes on to the end.
            quoted += lines[index:]
            break
    new, signature = _signature(new)
    return Split(_joined(new).rstrip(), _joined(quoted), _joined(signature).rstrip())


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >"))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n")


def _signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """What was written and what stands under it; a mail of nothing but a signature says that."""
    end = next((index for index in range(len(lines), 0, -1) if lines[index - 1].strip()), 0)
    lines = lines[:end]
    at = words.signature_at(lines)
    if not any(line.strip() for line in lines[:at]):
        return lines, []
    return lines[:at], lines[at:]


def _header_at(lines: list[str], index: int) -> int:
    """How many lines from `index` on introduce a quote (0: none do)."""
    line = lines[index].strip().replace("\u00a0", " ")
    if not line or len(line) > words.MAX_WINDOW:
        return 0
    following = [piece.strip().replace("\u00a0", " ") for piece in lines[index + 1 : index + WINDOW_LINES]]
    if words.SEPARATOR.match(line) and (not line.startswith("_") or _labels(following)):
        return 1
    if words.LABEL.match(line) and any(words.NEXT_LABEL.match(piece) for piece in following):
        return 1
    window = ""
    for count, piece in enumerate([line, *following], start=1):
        if not piece or piece.startswith(">"):
            break
        window = f"{window} {piece}".strip()
        if len(window) > words.MAX_WINDOW:
            break
        if words.introduces(window):
            return count
    return 0


def _labels(lines: list[str]) -> bool:
    return any(words.LABEL.match(line) for line in lines)


_SIGNATURES = {"gmail_signature", "moz-signature", "protonmail_signature_block", "yahoo-signature"}
_SIGNATURE_IDS = {"Signature", "ms-outlook-mobile-signature", "AppleMailSignature", "signature"}
_QUOTES = {
    "gmail_attr",
    "moz-cite-prefix",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "WordSection1_quoted",
    "OutlookMessageHeader",
}
_REST = {
    "divRplyFwdMsg",
    "x_divRplyFwdMsg",
    "appendonsend",
    "x_appendonsend",
    "OLK_SRC_BODY_SECTION",
    "stopSpelling",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
}


def _split_html(html: str) -> Split:
    root = markup.parse(html)
    if root is None:
        return Split("", "")
    taken: list[str] = []
    signature: list[str] = []
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or not _still_in(element, root):
            continue
        if _begins_the_rest(element):
            _take_rest(element, root, taken)
            break
        if _is_quote(element):
            _take(element, taken)
        elif _is_signature(element):
            _take(element, signature)
    return Split(_written(root), "".join(taken), "".join(signature))


def _is_signature(element: lxml.html.HtmlElement) -> bool:
    classes = set((element.get("class") or "").split())
    return (
        bool(classes & _SIGNATURES)
        or (element.get("id") or "").removeprefix("x_") in _SIGNATURE_IDS
        or element.get("data-smartmail") == "gmail_signature"
        or any(name.startswith("ydp") and name.endswith("signature") for name in classes)
    )


def _still_in(element: lxml.html.HtmlElement, root: lxml.html.HtmlElement) -> bool:
    return element is root or any(parent is root for parent in element.iterancestors())


def _is_quote(element: lxml.html.HtmlElement) -> bool:
    """An element that is a quote by itself, so that what follows may be new again."""
    classes = set((element.get("class") or "").split())
    if element.tag == "blockquote":
        return (
            element.get("type") == "cite"
            or "gmail_quote" in classes
            or "cite" in element.attrib
            or _introduced(element)
        )
    if "gmail_quote" in classes or "gmail_quote_container" in classes:
        # With a blockquote inside, that and its introduction are the quote: answers may stand between.
        return element.find(".//blockquote") is None
    if element.tag == "div" and element.get("name") == "quote":  # GMX, web.de
        return True
    return bool(classes & _QUOTES) or any(
        name.startswith("ydp") and name.endswith("yahoo_quoted") for name in classes
    )


def _introduced(element: lxml.html.HtmlElement) -> bool:
    """Whether "… wrote:" stands right before a plain blockquote."""
    previous = element.getprevious()
    for _ in range(3):
        if previous is None or previous.tag != "br" or (previous.tail or "").strip():
            break
        # The words before a line break are the tail, or the text, of what stands before it.
        previous = previous.getprevious()
    if previous is None:
        parent = element.getparent()
        said = parent.text if parent is not None else ""
    else:
        said = previous.tail if (previous.tail or "").strip() else previous.text_content()
    flat = cleaning.one_line(said or "", 1000)
    return words.introduces(flat)


def _begins_the_rest(element: lxml.html.HtmlElement) -> bool:
    """A mark of Outlook and others after which nothing new comes."""
    identity = element.get("id") or ""
    if identity in _REST:
        return identity != "appendonsend" or element.getnext() is not None
    style = (element.get("style") or "").replace(" ", "").lower()[:400]
    if element.tag == "div" and "border-top:solid" in style and "border:none" in style:
        return _labelled(element)
    if element.tag == "hr" and element.getnext() is not None:
        return _labelled(element.getnext())
    return False


def _labelled(element: lxml.html.HtmlElement) -> bool:
    """Whether an element begins with "From:" in one of the languages and goes on with another label."""
    flat = cleaning.one_line(" ".join(element.itertext())[:600], 400)
    return bool(words.LABEL.match(flat)) and bool(words.LABELS_INSIDE.search(flat))


def _take(element: lxml.html.HtmlElement, taken: list[str]) -> None:
    taken.append(lxml.html.tostring(element, encoding="unicode", with_tail=False))
    element.drop_tree()


def _take_rest(element: lxml.html.HtmlElement, root: lxml.html.HtmlElement, taken: list[str]) -> None:
    """Takes `element` and everything after it in the document."""
    taken.append(lxml.html.tostring(element, encoding="unicode", with_tail=False))
    for inner in [element, *element.iterancestors()]:
        parent = inner.getparent()
        if inner is root or parent is None or parent.tag == "html":
            break
        following = list(inner.itersiblings())
        if inner.tail:
            taken.append(_escaped(inner.tail))
            inner.tail = None
        for piece in following:
            taken.append(lxml.html.tostring(piece, encoding="unicode", with_tail=True))
            parent.remove(piece)
    element.drop_tree()


def _escaped(said: str) -> str:
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _written(root: lxml.html.HtmlElement) -> str:
    body = root.find("body")
    inside = body if body is not None else root
    head = _escaped(inside.text or "")
    return head + "".join(lxml.html.tostring(child, encoding="unicode") for child in inside)
