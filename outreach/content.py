"""What a mail's own words and links say against it: blocks and warnings (faults G3, G10, G11, G15)."""

from __future__ import annotations

import html as entities
import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from outreach import conversation, templating
from outreach.problems import Problem

MOST_BYTES = 25 * 1024 * 1024
# A body grows by a third when it is encoded for its way.
_ENCODED = 4 / 3
MOST_LINKS = 2
# fmt: off
SHORTENERS = frozenset([
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly",
    "rb.gy", "shorturl.at", "t.ly", "s.id",
])
# fmt: on
_ANCHOR = re.compile(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\")]+")
_TAG = re.compile(r"<[^>]+>")
_HOST_LIKE = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/:?#]|$)", re.IGNORECASE)
_LOUD = re.compile(r"\b[A-Z]{4,}\b")
MOST_SUBJECT = 60
MOST_WORDS = 200
_FIELD = re.compile(r"{{.*?}}", re.DOTALL)
_CONDITION = re.compile(r"{%.*?%}", re.DOTALL)
_BANGS = re.compile(r"[!?]*!{2}[!?]*|[!?]{3,}")
_MONEY = re.compile(
    r"[$€£]{2,}|[$€£]\s?\d{1,3}(?:[.,]\d{3}){2,}|\b[mb]illion (?:dollar|euro|pound)s?\b", re.IGNORECASE
)
# What SpamAssassin's own rules look for in a text (its rules/20_phrases.cf), as far as it could stand in an
# honest mail: GUARANTEED_100_PERCENT, BANG_GUAR, DEAR_FRIEND, DEAR_SOMETHING, URG_BIZ, MONEY_BACK, ONE_TIME,
# ACT_NOW_CAPS, JOIN_MILLIONS, MARKETING_PARTNERS, LOW_PRICE, PRICES_ARE_AFFORDABLE, FREE_QUOTE_INSTANT,
# FIN_FREE, INVESTMENT_ADVICE, STRONG_BUY, EXCUSE_REMOVE. "Click here" is of its rules about links in HTML.
_DISLIKED = re.compile(
    r"\b(?:100 ?% guaranteed|guaranteed?!|dear (?:friend|sirs?|madam|internet|webmaster)"
    r"|urgent (?:assistance|business|notice|proposal|reply|request|response)|money.back guarantee|act now"
    r"|one.time (?:offer|charge|investment|promotion)|join (?:thousands|millions)"
    r"|(?:marketing|network) partners?"
    r"|low(?:est)? prices?|affordable prices?|free (?:instant |online |no.obligation )*quotes?"
    r"|financial(?:ly)? (?:freedom|free|independen(?:t|ce))|investment advice|strong buy|to be removed from"
    r"|click here)(?!\w)",
    re.IGNORECASE,
)


def leftover(subject: str, text: str) -> Problem | None:
    """A field's braces or a placeholder in text that was to be final."""
    for place, words in (("subject", subject), ("body", text)):
        if templating.has_leftovers(words):
            return Problem(
                "placeholder", "A field was not filled in: its braces are still there.", field=place
            )
        found = templating.placeholders(words, html=False)
        if found:
            return Problem("placeholder", f"“{found[0][0]}” is a leftover placeholder.", field=place)
    return None


def hidden_host(text: str, html: str | None) -> Problem | None:
    """A link whose address hides where it leads: a bare number, or a name before an @."""
    for link in links_in(text, html):
        host = _host(link)
        if "@" in urlsplit_netloc(link):
            return Problem("link_hides", f"A link hides its address behind an “@”: {link[:80]}", field="body")
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            continue
        return Problem("link_hides", f"A link leads to a bare number: {link[:80]}", field="body")
    return None


def pretends(subject: str) -> Problem | None:
    """A mail that begins a conversation and calls itself an answer."""
    if conversation.pretends_to_answer(subject):
        return Problem("pretends", "A mail that answers nothing must not begin with “Re:”.", field="subject")
    return None


def too_big(*parts: str | None, attached: int = 0) -> Problem | None:
    """`attached`: bytes of files that hang on it."""
    size = sum(len(part.encode()) for part in parts if part) + attached
    if size * _ENCODED > MOST_BYTES:
        return Problem("too_big", f"The mail has {size // 1024 // 1024} MB; 25 MB is the most.", field="body")
    return None


def warnings(subject: str, text: str, html: str | None) -> list[Problem]:
    """What makes a mail look like spam, or is too long, without stopping it.

    `html` is the body without the footer. Subject and text may be a step's: a field counts as two words.
    """
    found = [*_too_long(subject, text), *_wording(subject, text)]
    letters = [letter for letter in subject if letter.isalpha()]
    if len(letters) >= 8 and sum(letter.isupper() for letter in letters) > len(letters) * 0.6:
        found.append(Problem("shouting", "The subject is in capitals.", field="subject"))
    elif len(loud := list(_LOUD.finditer(text))) >= 4:
        line = _line(text, loud[0].start())
        found.append(Problem("shouting", "Several words are in capitals.", field="body", line=line))
    links = list(dict.fromkeys(links_in(text, html)))
    if len(links) > MOST_LINKS:
        found.append(Problem("many_links", f"{len(links)} links. Two or fewer is safer.", field="body"))
    for link in links:
        if _host(link) in SHORTENERS:
            found.append(
                Problem(
                    "shortener", f"{_host(link)} hides where the link leads. Use the address.", field="body"
                )
            )
            break
    for address, words in _ANCHOR.findall(html or ""):
        named = _HOST_LIKE.match(entities.unescape(_TAG.sub("", words)).strip())
        if named and not _same_site(named.group(1), _host(entities.unescape(address))):
            found.append(
                Problem("link_differs", f"A link reads “{named.group(1)}” and leads elsewhere.", field="body")
            )
            break
    return found


def _too_long(subject: str, text: str) -> Iterator[Problem]:
    letters = len(_words_only(subject).strip())
    if letters > MOST_SUBJECT:
        words = f"The subject has about {letters} characters. Many lists show the first {MOST_SUBJECT}."
        yield Problem("long_subject", words, field="subject")
    count = len(_words_only(text).split())
    if count > MOST_WORDS:
        words = f"The text has {count} words. Under {MOST_WORDS} is read to its end more often."
        yield Problem("long_text", words, field="body")


def _wording(subject: str, text: str) -> Iterator[Problem]:
    """Each kind once, at its first place: the subject before the text."""
    for code, pattern, said in (
        ("wording", _DISLIKED, "Filters dislike “{}”."),
        ("exclaiming", _BANGS, "“{}”: one mark is enough."),
        ("money", _MONEY, "Filters dislike “{}”."),
    ):
        for field, words in (("subject", subject), ("body", text)):
            shown = _URL.sub(lambda match: " " * len(match.group()), words)
            match = pattern.search(shown)
            if match:
                line = _line(text, match.start()) if field == "body" else 0
                place = " ".join(match.group().split())
                yield Problem(code, said.format(place), field=field, line=line)
                break


def _words_only(text: str) -> str:
    return _CONDITION.sub("", _FIELD.sub("a field", text))


def _line(text: str, at: int) -> int:
    """The visible line, from 1; empty ones between paragraphs do not count."""
    return max(1, sum(bool(line.strip()) for line in text[: at + 1].splitlines()))


def links_in(text: str, html: str | None) -> list[str]:
    """Web addresses of a mail: of its HTML where there is one, else of its text."""
    if html is not None:
        found = [entities.unescape(address) for address, _ in _ANCHOR.findall(html)]
        return [address for address in found if address.lower().startswith("http")]
    return _URL.findall(text)


def urlsplit_netloc(link: str) -> str:
    try:
        return urlsplit(link).netloc
    except ValueError:
        return "@"


def _host(link: str) -> str:
    try:
        return (urlsplit(link).hostname or "").lower()
    except ValueError:
        return ""


def _same_site(named: str, host: str) -> bool:
    one, other = named.lower().removeprefix("www."), host.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
