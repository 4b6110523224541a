"""Bounces written as prose: who did not get the mail, and the words said about them.

For mail servers that send no RFC 3464 report: qmail, Exim, old sendmail and Exchange, mail groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbox.parsing import addresses, bounce_reasons, mime, text

MAX_PROSE = 32 * 1024
MAX_LINES = 400
MAX_RECIPIENTS = 50
MAX_OPENING = 1500
MAX_ABOUT_ONE = 30  # lines after an address that may speak of it

_DAEMON = re.compile(
    r"mailer-?_?daemon|mail-?daemon|post_?master|microsoftexchange[0-9a-f]{32}|(?:mail|"
    r"message)[ -]?deliver[yi]|"
    r"mail[ _-](?:delivery |transport |transfer )?(?:sub)?(?:system|service|agent|gateway|router)|"
    r"(?:mail|system) administrator|complaints?@|delivery@|bounce|notification service|mimesweeper|"
    r"mail ?marshal|"
    r"mail ?server|daemon@",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"(?:message|mail|delivery|it|e-mail|recipients?|users?|address\S{0,4})\W{0,3} (?:\w+ ){0,9}"
    r"(?:could not|couldn't|cannot|can't|was not|wasn't|were not|has not|failed to) (?:be )?(?:\w+ )?"
    r"(?:deliver|sent|reach)|"
    r"(?:unable|not able|wasn't able|failed) to (?:deliver|send|relay)|did not reach|could not be reached|"
    r"delivery (?:\w+ ){0,8}(?:failed|delayed|has failed)|(?:permanent|fatal|delivery) (?:fatal )?errors?|"
    r"has been returned|automatically rejected|undeliverable|non-?delivery|failed recipients|"
    r"was rejected by|is unknown|processing error|transcript of session|"
    r"nicht zugestellt|n'a pas pu|no se ha podido|no se pudo|non è stato possibile|送信できません|"
    r"配信できません|退信",
    re.IGNORECASE,
)
_FOLLOWED = re.compile(
    r"(?:re|aw|sv|vs|fw|fwd|wg|rv|tr|antw|odp|res|enc)\s{0,2}(?:\[\d{1,3}\])?\s{0,2}:", re.IGNORECASE
)
_LISTED = re.compile(
    r"following (?:e-?mail )?(?:recipient|address|user|destination|mailbox|person|people)|did not reach|"
    r"not reach (?:some|the)|could not be (?:delivered to|reached)|had (?:\w+ ){0,3}(?:delivery |"
    r"fatal )?(?:errors|problems)|"
    r"failed recipients|invalid recipients?\b|undeliver\w+ to\b|not (?:be )?delivered to\b|"
    r"cannot be delivered to|"
    r"(?:unable|failed) to deliver (?:\w+ ){0,4}to\b|folgenden? (?:empfänger|adresse)|"
    r"destinataires? suivants?|"
    r"siguientes? (?:destinatari|direcci)|seguenti? (?:destinatari|indirizz)",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"( {0,8})(?:received|return-path|delivered-to|message-id|from|to|subject|date|x-[\w-]{1,40}|"
    r"mime-version):",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"(?:dda:)?(?:smtp|rfc-?822)[=:;]", re.IGNORECASE)
_EXPANDED = re.compile(
    r"\((?:expanded|generated|forwarded) from:?\s{0,3}<?([^\s<>()]{1,250})>?\)", re.IGNORECASE
)
_MACHINE = re.compile(r"post_master@|no-?reply@", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|loop alert|processing error|deliver\w* (?:status|fail|error|problem|incomplete|delay|has|"
    r"report)|delivery\W{0,3}fail|"
    r"returned (?:mail|to sender|message)|"
    r"returning (?:message|mail)|mail (?:fail|delivery|system error|could not)|failure (?:notice|"
    r"delivery)|failed mail|"
    r"(?:message|mail|email) (?:status|not|fail|could|delivery|you sent|bounced)|non.?(?:delivery|remis)|"
    r"not be delivered|"
    r"couldn'?t be delivered|unzustellbar|nicht zugestellt|nicht zustellbar|non distribu|no entregado|"
    r"devuelto|rejected|"
    r"warning: (?:could not send|message)|cannot send|user unknown|permanent|bounce",
    re.IGNORECASE,
)
_BELOW_IS_THE_ORIGINAL = re.compile(
    r"(?:below this line is|this is) (?:a |the )?copy of|(?:original|returned|unsent|undelivered|"
    r"rejected|failed) ?(?:message|mail|msg)"
    r"(?: (?:follows|below|header|text)|:? ?-|[ :=]*$)|message headers? follow|(?:message|mail) (?:text|"
    r"header)s? follow|"
    r"(?:header|copy) (?:from|of) (?:the |your )?(?:original|returned|message)|"
    r"^content-type: (?:message/rfc822|text/rfc822)|"
    r"first \d+ (?:bytes|lines) of|^-+ ?(?:header|message)\b.{0,30}-$|start of (?:the )?(?:original|"
    r"returned)|"
    r"here is a copy|(?:message|mail) (?:as received (?:is )?)?as follows|the header(?:s)? (?:was|were|"
    r"follow)|^(?:received|return-path|message-id|"
    r"x-[\w-]{1,40}): ?\S",
    re.IGNORECASE,
)
_SENDERS_OWN = re.compile(
    r"mail from:|^\W{0,4}(?:from|sender|reply-to|return-path|message-id|cc|received|in-reply-to|"
    r"references)\W{0,3}:|"
    r"\bfrom \S{1,3}$|contact|message-id\W{0,3}:|please (?:send|write|mail)|\bfrom <",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^[\s>*|\"'-]{0,8}(?:(?:to|rcpt to|recipient|recipients|address|destination|email address|"
    r"final-recipient|invalid address|"
    r"intended recipient|failed recipient|user|original-recipient|undelivered to)\W{0,12}(?:rfc822\W{1,3})?)?"
    r"[<(\['\"]{0,2}[\w.+%&'*/=?^`{|}~!#$-]{1,128}@",
    re.IGNORECASE,
)
_IN_SENTENCE = re.compile(
    r"(?:to|for|at|address|recipient|user|rcpt to:|reach|following|mailbox|account|"
    r"deliver\w*)\W{1,4}[<(\['\"]{0,2}\S{1,128}@|^\W{0,6}<?\S{1,128}@|@\S{1,250}\W{1,6}(?:was|is|has|"
    r"could|does|reject|user|unknown|invalid)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Told:
    """An address that prose names, and what the prose says about it."""

    address: str
    words: str
    original: str = ""


@dataclass(frozen=True)
class Prose:
    """The words of the server itself, and the header fields of the original where they lie below.

    `start` is the line from which on those who did not get the mail are named, if one says so.
    """

    lines: tuple[str, ...]
    original: mime.Headers
    start: int = 0

    @property
    def listed(self) -> bool:
        return self.start > 0

    @property
    def words(self) -> str:
        return " ".join(self.lines)


def looks_returned(headers: mime.Headers, *, enclosed: bool, words: str) -> bool:
    """Whether a mail server, not a person, tells of a mail that came back; `enclosed`: it lies inside.

    Two signs are needed; what a person forwards or answers has at most one.
    """
    sender = text.decode_words(headers.get("from"), 400)
    subject = text.decode_words(headers.get("subject"), 400)
    if headers.get("x-failed-recipients"):
        return True
    empty = headers.get("return-path").strip() in ("<>", "<MAILER-DAEMON>")
    person = bool(_FOLLOWED.match(subject))
    signs = [
        bool(_DAEMON.search(sender)),
        not person and bool(_SUBJECT.search(subject)),
        not person and bool(_OPENING.search(words[:MAX_OPENING])),
        bool(headers.get("x-mlserver")),
        empty or headers.get("auto-submitted").lower().startswith(("auto-replied", "auto-generated")),
        enclosed,
        bool(_MACHINE.search(sender)),
    ]
    return sum(signs) >= 2


def by_daemon(headers: mime.Headers) -> bool:
    return bool(_DAEMON.search(text.decode_words(headers.get("from"), 400)))


def read_prose(body: str) -> Prose:
    """Splits what a server wrote from the copy of the original below it."""
    lines = body[:MAX_PROSE].split("\n")[: MAX_LINES * 2]
    for index, line in enumerate(lines[:MAX_LINES]):
        if _BELOW_IS_THE_ORIGINAL.search(line[:200]):
            own = lines[:index]
            if not any(piece.strip() for piece in own):
                continue
            return _prose(own, _headers_below(lines[index:]))
    return _prose(lines[:MAX_LINES], mime.Headers())


def _prose(lines: list[str], original: mime.Headers) -> Prose:
    kept = tuple(line[:1000].strip() for line in lines)
    start = next((index for index, line in enumerate(kept) if _LISTED.search(line[:300])), 0)
    return Prose(kept, original, start)


def _headers_below(lines: list[str]) -> mime.Headers:
    """The fields of the original below a server's words; some servers indent them all by a few spaces."""
    for index, line in enumerate(lines[:12]):
        match = _FIELD.match(line)
        if match:
            indent = len(match.group(1))
            dedented = [one[indent:] if not one[:indent].strip() else one for one in lines[index:]]
            raw = "\n".join(dedented).encode("utf-8", "replace")
            return mime.read_headers(raw, 0, len(raw))[0]
    return mime.Headers()


def told(prose: Prose, *, own: frozenset[str]) -> tuple[Told, ...]:
    """The addresses that the prose says did not get the mail; `own` are the sender's and the server's."""
    for start in (prose.start, 0) if prose.start else (0,):
        for shape in (_NAMED, _IN_SENTENCE, None):
            found = _told(prose, start, shape, own)
            if found:
                return tuple(found.values())
    return ()


def _told(prose: Prose, start: int, shape: re.Pattern[str] | None, own: frozenset[str]) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for index, full in enumerate(prose.lines[start:], start):
        line = _INSIDE.sub(" ", full)
        final = _EXPANDED.sub(" ", line)
        line = final if "@" in final else line
        if "@" not in line or (
            _SENDERS_OWN.search(line) and not (shape is _IN_SENTENCE and "rcpt to" in line.lower())
        ):
            continue
        if shape is not None and not shape.search(line):
            continue
        for match in list(addresses.ADDRESS.finditer(line))[: 1 if shape is _NAMED else 5]:
            address = addresses.tidy(match.group())
            key = address.lower()
            if not address or key in own or "." not in key.rpartition("@")[2] or len(found) >= MAX_RECIPIENTS:
                continue
            if address.startswith("/"):  # a file or a pipe, as Exim names them
                continue
            words = _about(prose.lines, index, address)
            if key not in found or len(found[key].words) < 200:
                before = found[key].words + " " if key in found else ""
                expanded = _EXPANDED.search(words[:600])
                source = expanded.group(1) if expanded and "@" in expanded.group(1) else ""
                found[key] = Told(address, (before + words)[: bounce_reasons.MAX_WORDS], source)
    return found


def _about(lines: tuple[str, ...], index: int, address: str) -> str:
    """The line of an address and those after it, as far as the next address stands at a line's start."""
    out = [lines[index]]
    for line in lines[index + 1 : index + MAX_ABOUT_ONE]:
        match = addresses.ADDRESS.search(line[:140])
        if match and match.start() <= 2 and address.lower() not in line.lower():
            break
        out.append(line)
    return " ".join(piece for piece in out if piece)


_STILL_TRYING = re.compile(
    r"(?:will|we'll) (?:keep|continue|retry|be retried|try again)|has(?: not yet|n't) been|"
    r"delivery incomplete|delayed|"
    r"no action is required|warning message|(?:not need|do not need) to resend|still (?:being|trying)|"
    r"\(delay\)",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"given up|giving up|permanent|could not be delivered|failed permanently|not going to try|returned|"
    r"final|fatal",
    re.IGNORECASE,
)


def answers(prose: Prose) -> str:
    """The far server's own lines of a transcript (Sendmail's "<<<"), which say the most."""
    return " ".join(line for line in prose.lines if line.startswith("<<<"))[: bounce_reasons.MAX_WORDS]


def still_trying(words: str) -> bool:
    """Whether the prose is a warning only: the far server may yet take the mail."""
    words = words[: bounce_reasons.MAX_WORDS]
    return bool(_STILL_TRYING.search(words)) and not _GIVEN_UP.search(words)
