"""Why a mail came back: from a status code (RFC 3463) and the far server's words to a category.

The category says what to do with the person's address. INVALID: never write again. TEMPORARY: it may work
later. BLOCKED: the mail or its sender was refused, the person stays as they are.
"""

from __future__ import annotations

import enum
import re

from mailbox.parsing import addresses, text
from mailbox.parsing import bounce_words as said


class Category(enum.StrEnum):
    INVALID = "invalid"
    TEMPORARY = "temporary"
    BLOCKED = "blocked"
    COMPLAINT = "complaint"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"


MAX_WORDS = 4000  # characters of a server's answer that are looked at

_STATUS = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?![\w.]\d)")
_CAME_BACK = re.compile(
    r"""(?:not|n't|unable\ to|failed\ to|cannot|problem|error|trouble)\ (?:\w+\ ){0,2}(?:deliver|sen[dt]\b)|
    delivery\ (?:\w+\ ){0,8}(?:fail|delay|incomplete)|
    undeliver|failed\ permanently|did\ not\ reach|not\ be\ reached|(?:were|was)\ rejected|rejected\ by|
    fail(?:ure|ed)|automatically\ rejected|has\ been\ returned|non-?delivery|
    permanent|not\ sent|(?:user|host|recipient|address)\ unknown|unknown\ (?:user|host|recipient|
    address)|no\ such\ user|
    invalid\ (?:user|address|recipient)|mailbox\ (?:is\ )?full|returned\ mail|loop\ alert|rcpt\ to|
    nicht\ (?:zugestellt|zustell)|unzustellbar|n'a\ pas\ pu|non\ remis|non\ distribu|
    no\ se\ (?:ha\ podido|pudo)|
    non\ (?:è\ stato\ possibile|recapitat)|niet\ (?:worden\ )?(?:afgeleverd|bezorgd)|
    não\ (?:foi\ possível|pôde)|
    kunde\ inte\ levereras|kunne\ ikke\ leveres|nie\ (?:można|mogła|została)\ dostarcz|не\ (?:было\ |
    может\ быть\ )?достав|
    送信できません|配信できません|配信不能|无法(?:投递|送达)|退信""",
    re.IGNORECASE | re.VERBOSE,
)

# What subject and detail of RFC 3463 mean where they are clear by themselves; the registry of RFC 5248 and
# Microsoft's own three-digit details among them.
_BY_STATUS: dict[tuple[int, int], Category] = {
    (1, 7): Category.BLOCKED,  # the sender's address, not the recipient's
    (1, 8): Category.BLOCKED,
    (1, 9): Category.BLOCKED,
    (2, 1): Category.INVALID,
    (2, 2): Category.TEMPORARY,
    (2, 3): Category.TEMPORARY,  # longer than this mailbox takes now
    (2, 4): Category.BLOCKED,
    (3, 2): Category.BLOCKED,
    (3, 4): Category.BLOCKED,
    (4, 4): Category.INVALID,
    (4, 310): Category.INVALID,
    (5, 3): Category.TEMPORARY,
    (7, 13): Category.INVALID,
    (7, 17): Category.INVALID,
}
_BY_SUBJECT: dict[int, Category] = {
    1: Category.INVALID,
    2: Category.TEMPORARY,
    3: Category.TEMPORARY,
    4: Category.TEMPORARY,
    5: Category.BLOCKED,
    6: Category.BLOCKED,
    7: Category.BLOCKED,
}
# PowerMTA names its own reason (X-PowerMTA-BounceCategory).
POWERMTA = {
    "bad-mailbox": Category.INVALID,
    "bad-domain": Category.INVALID,
    "inactive-mailbox": Category.INVALID,
    "quota-issues": Category.TEMPORARY,
    "no-answer-from-host": Category.TEMPORARY,
    "bad-connection": Category.TEMPORARY,
    "routing-errors": Category.TEMPORARY,
    "message-expired": Category.TEMPORARY,
    "bad-configuration": Category.TEMPORARY,
    "policy-related": Category.BLOCKED,
    "spam-related": Category.BLOCKED,
    "content-related": Category.BLOCKED,
    "virus-related": Category.BLOCKED,
    "relaying-issues": Category.BLOCKED,
    "protocol-errors": Category.BLOCKED,
}
_WEB = re.compile(r"\bhttps?:\S{0,500}", re.IGNORECASE)
_MARKS = re.compile(r"<[\s.]{0,3}>|\(\s?\)|\[\s?\]")


def status_in(words: str) -> str:
    """The first enhanced status code (RFC 3463) of class 4 or 5 in `words`, or ""."""
    for match in _STATUS.finditer(words[:MAX_WORDS]):
        if match.group(1) != "2":
            return match.group()
    return ""


def says_failure(words: str) -> bool:
    """Whether prose speaks of a mail that did not arrive."""
    return bool(_CAME_BACK.search(words[:MAX_WORDS]) or status_in(words))


def explains(words: str) -> bool:
    """Whether `words` give a reason that `judge` knows."""
    return bool(status_in(words)) or _by_words(_plain(words), "") is not None


def judge(status: str, words: str, *, step: str = "") -> Category:
    """What a failure means for the address; each of `status`, `words` and `step` (of SMTP) may be empty."""
    words = text.one_line(words, MAX_WORDS)
    status = _best_status(status, words)
    step = step or said.step(words)
    step = step or ("data" if said.NAMELESS.match(words) else "")
    words = _plain(words)
    failure, subject, detail = (int(number) for number in status.split(".")) if status else (0, 0, 0)
    if said.FULL.search(words) or (subject, detail) == (2, 2):
        return Category.TEMPORARY
    by_words = _by_words(words, step)
    if failure == 4:
        # Refused for now because of the sender is still about the sender.
        return (
            Category.BLOCKED if by_words is Category.BLOCKED and _about_sender(words) else Category.TEMPORARY
        )
    by_status = _BY_STATUS.get((subject, detail)) or (_BY_SUBJECT.get(subject) if detail else None)
    if subject == 1:
        return _of_address(by_status or Category.INVALID, words, step)
    if subject == 7:
        named = by_words is Category.INVALID and (step == "rcpt" or bool(said.DISABLED.search(words)))
        return Category.INVALID if named else by_status or Category.BLOCKED
    if subject == 2 and by_status is not None:
        return _of_mailbox(by_status, by_words, words, step)
    if by_words is not None:
        return by_words
    return by_status or (_BY_SUBJECT.get(subject) if subject in (2, 3, 4, 5, 6) else None) or Category.UNKNOWN


def _of_address(by_status: Category, words: str, step: str) -> Category:
    """Status x.1.y speaks of an address, unless the words are plainly about something else."""
    if by_status is not Category.INVALID or said.UNKNOWN.search(words) or said.DISABLED.search(words):
        return by_status
    if said.TOO_FAST.search(words):
        return Category.TEMPORARY
    return Category.BLOCKED if _about_sender(words) or step == "mail" else by_status


def _of_mailbox(by_status: Category, by_words: Category | None, words: str, step: str) -> Category:
    """Status x.2.1 says that the mailbox is there but takes nothing; "user unknown" beside it is a filter's
    excuse unless it was said of the recipient."""
    if by_status is Category.TEMPORARY or by_words is None:
        return by_words if by_words is Category.BLOCKED and "resolver.rst" in words.lower() else by_status
    if by_words is Category.INVALID and step != "rcpt" and not said.DISABLED.search(words):
        return Category.BLOCKED
    return by_words


def _about_sender(words: str) -> bool:
    return bool(said.SENDER.search(words) or said.TAKES_NO_MAIL.search(words))


def _plain(words: str) -> str:
    """Without addresses and links, whose own letters ("spam@…") say nothing about the reason."""
    words = _WEB.sub(" ", addresses.ADDRESS.sub(" ", text.one_line(words, MAX_WORDS)))
    return " ".join(_MARKS.sub(" ", words).split())


def _best_status(stated: str, words: str) -> str:
    """The more telling of the report's own code and those in the far server's answer."""
    stated = status_in(stated)
    if stated and not stated.endswith(".0") and not stated.endswith(".4.7"):
        return stated
    found = [match.group() for match in _STATUS.finditer(words) if match.group(1) != "2"]
    return max([stated, *found], key=_tells)


def _tells(status: str) -> int:
    """How much a status says: x.1.1 more than x.1.0, that more than x.0.0, and "given up" least of all."""
    if not status or status.endswith(".4.7"):
        return 1 if status else 0
    _, subject, detail = status.split(".")
    return 2 + (subject != "0") + (detail != "0")


def _by_words(words: str, step: str) -> Category | None:
    """The first reason that the words give. A server that took the recipient and then says at DATA that it
    does not know them speaks of the mail: a filter's excuse, and no proof that the address is dead."""
    for pattern, category in (
        (said.FULL, Category.TEMPORARY),
        (said.CLOSED_OR_GONE, Category.INVALID),
        (said.REPUTATION, Category.BLOCKED),
        (said.TOO_FAST, Category.TEMPORARY),
        (said.TOO_LARGE, Category.BLOCKED),
        (said.DISABLED, Category.INVALID),
        (said.TAKES_NO_MAIL, Category.BLOCKED),
        (said.SENDER, Category.BLOCKED),
        (said.UNKNOWN, Category.BLOCKED if step == "data" else Category.INVALID),
        (said.LATER, Category.TEMPORARY),
    ):
        if pattern.search(words):
            return category
    if step == "rcpt" and said.ADDRESS_REJECTED.search(words):
        return Category.INVALID
    return Category.BLOCKED if said.REFUSED.search(words) or step in ("mail", "open") else None
