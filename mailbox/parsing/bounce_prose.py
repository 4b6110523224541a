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
MAX_ABOUT_ONE = 30  # lines after an address that may speak of it

_DAEMON = re.compile(
    r"mailer-?daemon|mail-?daemon|post_?master|mailerdaemon|microsoftexchange[0-9a-f]{32}|mail\ deliver[yi]|"
    r"mail\ (?:delivery )?(?:sub)?system|mail administrator|system administrator|complaints?@|delivery@|"
    r"mail system|bounce",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"post_master@|no-?reply@", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|deliver\w* (?:status|fail|error|problem|incomplete|delay|has|report)|delivery\W{0,3}fail|"
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
    r"here is a copy|the header(?:s)? (?:was|were|follow)|^(?:received|return-path|message-id|"
    r"x-[\w-]{1,40}): ?\S",
    re.IGNORECASE,
)
_SENDERS_OWN = re.compile(
    r"mail from:|^\W{0,4}(?:from|sender|reply-to|return-path|message-id|cc|received|in-reply-to|"
    r"references)\W{0,3}:|"
    r"\bfrom \S{1,3}$|contact|message-id|please (?:send|write|mail)|\bfrom <",
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


@dataclass(frozen=True)
class Prose:
    """The words of the server itself, and the header fields of the original where they lie below."""

    lines: tuple[str, ...]
    original: mime.Headers

    @property
    def words(self) -> str:
        return " ".join(self.lines)


def looks_returned(headers: mime.Headers, *, enclosed: bool) -> bool:
    """Whether a mail server, not a person, tells of a mail that came back; `enclosed`: it lies inside."""
    sender = text.decode_words(headers.get("from"), 400)
    subject = text.decode_words(headers.get("subject"), 400)
    if headers.get("x-failed-recipients"):
        return True
    empty = headers.get("return-path").strip() in ("<>", "<MAILER-DAEMON>")
    signs = [
        bool(_DAEMON.search(sender)),
        bool(_SUBJECT.search(subject)),
        empty or headers.get("auto-submitted").lower().startswith(("auto-replied", "auto-generated")),
        enclosed,
        bool(_MACHINE.search(sender)),
    ]
    return sum(signs) >= 2


def read_prose(body: str) -> Prose:
    """Splits what a server wrote from the copy of the original below it."""
    lines = body[:MAX_PROSE].split("\n")[: MAX_LINES * 2]
    for index, line in enumerate(lines[:MAX_LINES]):
        if _BELOW_IS_THE_ORIGINAL.search(line[:200]):
            own = lines[:index]
            if not any(piece.strip() for piece in own):
                continue
            return Prose(tuple(piece[:1000].strip() for piece in own), _headers_below(lines[index:]))
    return Prose(tuple(line[:1000].strip() for line in lines[:MAX_LINES]), mime.Headers())


def _headers_below(lines: list[str]) -> mime.Headers:
    for index, line in enumerate(lines[:12]):
        if re.match(
            r"(?:received|return-path|message-id|from|to|subject|date|x-[\w-]{1,40}|mime-version):",
            line,
            re.I,
        ):
            raw = "\n".join(lines[index:]).encode("utf-8", "replace")
            return mime.read_headers(raw, 0, len(raw))[0]
    return mime.Headers()


def told(prose: Prose, *, own: frozenset[str]) -> tuple[Told, ...]:
    """The addresses that the prose says did not get the mail; `own` are the sender's and the server's."""
    for shape in (_NAMED, _IN_SENTENCE, None):
        found: dict[str, Told] = {}
        for index, line in enumerate(prose.lines):
            if "@" not in line or (
                _SENDERS_OWN.search(line) and not (shape is _IN_SENTENCE and "rcpt to" in line.lower())
            ):
                continue
            if shape is not None and not shape.search(line):
                continue
            for match in list(addresses.ADDRESS.finditer(line))[: 1 if shape is _NAMED else 5]:
                address = addresses.tidy(match.group())
                key = address.lower()
                if (
                    not address
                    or key in own
                    or "." not in key.rpartition("@")[2]
                    or len(found) >= MAX_RECIPIENTS
                ):
                    continue
                words = _about(prose.lines, index, address)
                if key not in found or len(found[key].words) < 200:
                    before = found[key].words + " " if key in found else ""
                    found[key] = Told(address, (before + words)[: bounce_reasons.MAX_WORDS])
        if found:
            return tuple(found.values())
    return ()


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


def still_trying(words: str) -> bool:
    """Whether the prose is a warning only: the far server may yet take the mail."""
    words = words[: bounce_reasons.MAX_WORDS]
    return bool(_STILL_TRYING.search(words)) and not _GIVEN_UP.search(words)
