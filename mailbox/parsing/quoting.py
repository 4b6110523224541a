"""What a person wrote, apart from the mail they answered.

Our own mail comes back in quotes with its "unsubscribe" wording, so opt-outs are looked for in `new` only.
Attribution lines are found with the patterns of mail-parser-reply, on short windows of text: on a whole
mail they take time with the square of its length and worse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import lxml.html
from mailparser_reply.parser import EmailMessage

from mailbox.parsing import html as markup
from mailbox.parsing import text as cleaning

MAX_TEXT = 256 * 1024
MAX_LINES = 5000  # looked at for the place where the quote begins
MAX_WINDOW = 600
MAX_TRIES = 60  # windows that the library's patterns may look at
WINDOW_LINES = 4

# Polish is left out: its pattern takes any line that begins with "To:" for a header.
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "da", "sv", "cs", "ja", "ko", "zh", "david")
_WROTE = re.compile(
    r"wrote|schrieb|écrit|escribió|scritto|schreef|skrev|napsal|napisał|escreveu|写道|님이|年|kirjoitti|пишет|"
    r"написал",
    re.IGNORECASE,
)
_WHEN_OR_WHO = re.compile(r"[\d@]")
_ATTRIBUTION = re.compile(
    r"^(?:on|am|le|el|il|op|den|em|dnia|dne|w dniu|pe|чт|пн)\b.{5,400}?(?:wrote|schrieb.{0,120}|a écrit|"
    r"escribió|"
    r"ha scritto|schreef.{0,120}|skrev.{0,120}|escreveu|napisał\S{0,4}|napsal\S{0,4}|kirjoitti)\s?:$|"
    r"^.{1,120}<?\S{1,64}@\S{1,190}>?.{0,60}(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|"
    r"написал\S{0,3}|пишет)\s?:$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[*_ ]{0,3}(?:from|von|de|da|van|från|fra|od|发件人|差出人|보낸 ?사람|от)[*_ ]{0,3}\s?[:：]",
    re.IGNORECASE,
)
_NEXT_LABEL = re.compile(
    r"^[*_ ]{0,3}(?:sent|date|to|subject|cc|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|"
    r"asunto|inviato|"
    r"data|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|odesláno|"
    r"komu|předmět|"
    r"发送时间|收件人|主题|日時|宛先|件名|дата|кому|тема)(?: le)?[*_ ]{0,3}\s?[:：]",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"^\W{0,3}[-_—]{3,}\s{0,3}(?:original(?:e|-)?|urspr|message d'origine|mensaje original|"
    r"messaggio originale|oorspronkelijk|"
    r"weitergeleitete|forwarded|begin forwarded|message transféré|mensaje reenviado|oprindelig|ursprungligt|"
    r"wiadomość|původní).{0,40}$|^begin forwarded message:$|^_{20,}$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Split:
    """`new` and `quoted` together hold every line, or every element, of what was split, in order."""

    new: str
    quoted: str


def split_text(text: str) -> Split:
    """Text of a mail. An answer between or below quoted lines counts as new."""
    lines = cleaning.clean(text, MAX_TEXT).split("\n")
    new: list[str] = []
    quoted: list[str] = []
    tries = MAX_TRIES
    index = 0
    while index < len(lines):
        if lines[index].startswith((">", " >")):
            quoted.append(lines[index])
            index += 1
            continue
        size, tried = _header_at(lines, index, tries) if index < MAX_LINES else (0, 0)
        tries -= tried
        if not size:
            new.append(lines[index])
            index += 1
            continue
        quoted += lines[index : index + size]
        index += size
        following = next((line for line in lines[index : index + 4] if line.strip()), "")
        if not following.startswith((">", " >")):
            # Nothing marks where the quote ends: it goes on to the end.
            quoted += lines[index:]
            break
    return Split("\n".join(new).strip("\n").rstrip(), "\n".join(quoted).strip("\n"))


def _header_at(lines: list[str], index: int, tries: int) -> tuple[int, int]:
    """How many lines from `index` on introduce a quote (0: none do), and how often the library was asked."""
    line = lines[index].strip().replace("\u00a0", " ")
    if not line or len(line) > MAX_WINDOW:
        return 0, 0
    following = [piece.strip().replace("\u00a0", " ") for piece in lines[index + 1 : index + WINDOW_LINES]]
    if _SEPARATOR.match(line) and (not line.startswith("_") or _labels(following)):
        return 1, 0
    if _LABEL.match(line) and any(_NEXT_LABEL.match(piece) for piece in following):
        return 1, 0
    window = ""
    tried = 0
    for count, piece in enumerate([line, *following], start=1):
        if not piece or piece.startswith(">"):
            break
        window = f"{window} {piece}".strip()
        if len(window) > MAX_WINDOW:
            break
        if not piece.endswith((":", "：")) or not _WROTE.search(window):
            continue
        if not _WHEN_OR_WHO.search(window):
            continue
        if _ATTRIBUTION.match(window):
            return count, tried
        if tried < tries:
            tried += 1
            if _library_pattern().match(window):
                return count, tried
    return 0, tried


def _labels(lines: list[str]) -> bool:
    return any(_LABEL.match(line) for line in lines)


@cache
def _library_pattern() -> re.Pattern[str]:
    return re.compile(EmailMessage(text="", languages=list(LANGUAGES)).HEADER_REGEX)


def split_html(html: str) -> Split:
    """HTML of a mail, as its sender wrote it: sanitise both halves before they are shown."""
    root = markup.parse(html)
    if root is None:
        return Split("", "")
    taken: list[str] = []
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or not _still_in(element, root):
            continue
        if _begins_the_rest(element):
            _take_rest(element, root, taken)
            break
        if _is_quote(element):
            _take(element, taken)
    return Split(_written(root), "".join(taken))


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
    return bool(
        classes
        & {
            "gmail_attr",
            "moz-cite-prefix",
            "yahoo_quoted",
            "protonmail_quote",
            "zmail_extra",
            "WordSection1_quoted",
        }
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
        words = parent.text if parent is not None else ""
    else:
        words = previous.tail if (previous.tail or "").strip() else previous.text_content()
    flat = cleaning.one_line(words or "", 1000)
    return len(flat) <= MAX_WINDOW and bool(_ATTRIBUTION.match(flat))


def _begins_the_rest(element: lxml.html.HtmlElement) -> bool:
    """A mark of Outlook and others after which nothing new comes."""
    identity = element.get("id") or ""
    if identity in (
        "divRplyFwdMsg",
        "x_divRplyFwdMsg",
        "appendonsend",
        "x_appendonsend",
        "OLK_SRC_BODY_SECTION",
        "stopSpelling",
    ):
        return identity != "appendonsend" or element.getnext() is not None
    style = (element.get("style") or "").replace(" ", "").lower()[:400]
    if element.tag == "div" and "border-top:solid" in style and "border:none" in style:
        return _labelled(element)
    if element.tag == "hr" and element.getnext() is not None:
        return _labelled(element.getnext())
    return False


def _labelled(element: lxml.html.HtmlElement) -> bool:
    """Whether an element begins with "From:" in one of the languages and goes on with another label."""
    words = cleaning.one_line(element.text_content()[:600], 400)
    return bool(_LABEL.match(words)) and bool(_LABELS_INSIDE.search(words))


_LABELS_INSIDE = re.compile(
    r"(?:sent|date|to|subject|gesendet|an|betreff|envoyé|objet|enviado|asunto|inviato|"
    r"verzonden)[*_ ]{0,3}\s?:",
    re.IGNORECASE,
)


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


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _written(root: lxml.html.HtmlElement) -> str:
    body = root.find("body")
    inside = body if body is not None else root
    head = _escaped(inside.text or "")
    return head + "".join(lxml.html.tostring(child, encoding="unicode") for child in inside)
