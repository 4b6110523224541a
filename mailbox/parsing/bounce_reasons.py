"""Why a mail came back: from a status code (RFC 3463) and the far server's words to a kind.

The kind says what to do with the person's address: HARD, never write again; SOFT, it may work
later; BLOCKED, the mail or its sender was refused and the person stays as they are.
"""

from __future__ import annotations

import enum
import re

from mailbox.parsing import text


class BounceKind(enum.Enum):
    HARD = "hard"
    SOFT = "soft"
    BLOCKED = "blocked"
    DELAYED = "delayed"
    COMPLAINT = "complaint"


MAX_WORDS = 4000  # characters of a server's answer that are looked at

_STATUS = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?![\w.]\d)")
_CAME_BACK = re.compile(
    r"""(?:not|n't|unable\ to|failed\ to|cannot|problem|error|trouble)\ (?:\w+\ ){0,2}deliver|
    delivery\ (?:\w+\ ){0,5}(?:fail|delay|incomplete)|
    undeliver|failed\ permanently|did\ not\ reach|not\ be\ reached|(?:were|was)\ rejected|rejected\ by|
    fail(?:ure|ed)|
    permanent|not\ sent|(?:user|host|recipient|address)\ unknown|unknown\ (?:user|host|recipient|
    address)|no\ such\ user|
    invalid\ (?:user|address|recipient)|mailbox\ (?:is\ )?full|returned\ mail|nicht\ zugestellt|unzustellbar|
    n'a\ pas\ pu|no\ se\ ha\ podido|rcpt\ to""",
    re.IGNORECASE | re.VERBOSE,
)

# What the second and third number mean where they are clear by themselves.
_BY_STATUS: dict[tuple[int, int], BounceKind] = {
    (1, 7): BounceKind.BLOCKED,  # the sender's address, not the recipient's
    (1, 8): BounceKind.BLOCKED,
    (1, 9): BounceKind.BLOCKED,
    (2, 1): BounceKind.HARD,
    (2, 2): BounceKind.SOFT,
    (2, 3): BounceKind.BLOCKED,
    (3, 4): BounceKind.BLOCKED,
    (4, 4): BounceKind.HARD,
    (4, 6): BounceKind.SOFT,
    (4, 7): BounceKind.SOFT,
    (4, 14): BounceKind.SOFT,
}
_BY_SUBJECT: dict[int, BounceKind] = {
    1: BounceKind.HARD,
    2: BounceKind.SOFT,
    3: BounceKind.SOFT,
    4: BounceKind.SOFT,
    5: BounceKind.BLOCKED,
    6: BounceKind.BLOCKED,
    7: BounceKind.BLOCKED,
}

# Each is a plain alternation of short words without nested repetition: linear in the text. The first
# that matches decides; where the status is clear, only the groups before `_UNKNOWN_ADDRESS` may object.
_SENDER_REFUSED = re.compile(
    r"""spam|blacklist|blocklist|block\ list|black\ list|blocked\ (?:using|by|because|due|for)|
    \bRBL\b|dnsbl|spamhaus|barracuda|spamcop|sorbs|senderbase|reputation|
    virus|malware|phish|\bDMARC\b|\bSPF\b|\bDKIM\b|authentication\ (?:checks|required|failed)|
    relay(?:ing)?\ (?:is\ )?(?:not\ permitted|denied|prohibited|access\ denied|not\ allowed)|
    not\ relay|unable\ to\ relay|rely\ access|
    reverse\ (?:dns|hostname|lookup|address)|(?:PTR|rDNS)\b|
    (?:not\ accepted|rejected|refused|denied|prohibited|blocked)\ (?:for|due\ to|by|
    because\ of)\ (?:\w+\ ){0,2}polic|
    policy\ (?:reasons|violation|restriction|reject)|violat(?:es|ed|ion)|
    senders?\ (?:address\ )?(?:is\ )?(?:rejected|denied|blocked|not\ authorized|not\ allowed|refused|verify)|
    (?:too\ (?:big|large)|size\ (?:limit|exceed)|exceeds?\ (?:\w+\ ){0,3}(?:size|maximum)|larger\ than)|
    mail\ bomb|permission\ to\ post|not\ have\ permission|pas\ autorisé|bulk\ mail|unsolicited|
    objectionable|banned|
    rfc\ ?[25][38]22|not\ RFC|bare\ (?:lf|cr|line)|illegal\ (?:attachment|header)|
    must\ issue\ a\ STARTTLS|encryption\ (?:needed|required)""",
    re.IGNORECASE | re.VERBOSE,
)
_FULL = re.compile(
    r"""(?:mailbox|account|inbox|quota|user|storage|folder|disk)\S{0,12}\ (?:is\ |has\ |
    size\ )?(?:currently\ |now\ )?
    (?:full|over|exceed|out\ of)|over\ ?quota|quota\ exceed|exceed\w*\ (?:\w+\ ){0,4}(?:quota|storage|limit)|
    exceeded\ (?:\w+\ ){0,2}mailbox|insufficient\ (?:system\ )?(?:storage|disk|space)|(?:storage|disk|
    mailbox)\ (?:\w+\ )?limit|
    out\ of\ (?:storage|space)|too\ much\ mail|mailbox\ too\ large|no\ space\ left|quota\ full|
    boîte\ pleine|Postfach\ voll|
    mailfolder\ is\ full|full\ mailbox|not\ enough\ (?:storage|disk|space)|delivery\ failed:\ Over\ quota""",
    re.IGNORECASE | re.VERBOSE,
)
_BUSY = re.compile(
    r"""too\ many|rate\ limit|throttl|limit\ exceeded|try\ again\ later|temporar(?:y|ily)|
    greylist|graylist|deferred|unusual\ rate|at\ a\ rate|frequency|concurrent|resources|
    malformed\ or\ unexpected""",
    re.IGNORECASE | re.VERBOSE,
)
_UNKNOWN_ADDRESS = re.compile(
    r"""(?:user|recipient|mailbox|account|address|addressee|mail\ box|local\ ?part|alias|login|
    member)\S{0,64}[ ]
    (?:address\ )?(?:is\ |was\ |has\ been\ |does\ |did\ )?(?:currently\ )?
    (?:unknown|not\ (?:be\ )?(?:found|exist|known|valid|active|local|listed|have)|n['o]t\ exist|
    doesn'?t\ (?:exist|have)|
    invalid|unavailable|disabled|inactive|suspended|deactivated|terminated|closed|expired|deleted|no\ longer|
    discontinued|couldn'?t\ be\ found|undeliverable|unrouteable|frozen|locked|blocked)|
    (?:unknown|invalid|no\ such|nonexist(?:e|a)nt|non-exist(?:e|a)nt|bad|inactive|disabled|incorrect|
    illegal|suspended|undeliverable|unrouteable)[ ]
    (?:\w+\ ){0,2}(?:user|recipient|mailbox|account|address|local|person|destination|alias|addressee|login)|
    (?:no|not\ a)\ (?:\w+\ ){0,2}(?:mailbox|account|user)\ (?:here|by|with|for|named)|no\ mailbox|
    not\ our\ customer|
    (?:doesn't|does\ not|didn't|don't)\ (?:exist|have\ an?)|no\ longer\ (?:\w+\ ){0,3}(?:available|
    active|valid|exist|works?|in\ (?:use|service)|at|accept|on\ server)|
    (?:has|have)\ moved|address\ changed|user\ unknown|unknown\ user|not\ listed\ in|
    address\ (?:couldn't|could\ not)\ be\ found|
    (?:unknown|invalid|no\ such|nonexistent)\ (?:\w+\ )?(?:host|domain)|(?:host|
    domain)\ (?:\w+\ )?(?:unknown|not\ found|does)|
    (?:host|domain)\ name\ lookup|name\ or\ service\ not\ known|host\ not\ found|unrouteable|null\ ?mx|
    no\ valid\ recipients|
    couldn't\ find\ any\ host|can't\ find|no\ (?:mx|route)\b|recipient\ not\ found|not\ known\ (?:here|at)|
    that\ account|unbekannt|inconnu|desconocido|existiert\ nicht|n'existe\ pas|no\ existe|account\ has\ been|
    mailbox\ unavailable|this\ (?:account|user|mailbox)|local\ user|not\ exist|is\ not\ active|retired|
    mailbox\ not|unknown\ local|recipient\ address\ rejected:\ access\ denied""",
    re.IGNORECASE | re.VERBOSE,
)
_LATER = re.compile(
    r"""time[d-]?\ ?out|expired|connection\ (?:refused|reset|lost|closed|dropped|died)|
    refused\ connection|unreachable|
    not\ respond|too\ long|retry|queue|for\ \d\ (?:days|hours)|could\ not\ (?:connect|be\ contacted)|
    network\ error|not\ reachable|requests\ to\ connect|failing\ for|hop\ count|mail\ loop|procmail|
    pipe\ to|x-unix|server\ (?:down|error|busy)|local\ (?:configuration\ )?error|loop(?:s|ing)?\ back|
    too\ many\ hops|
    TLS|cannot\ (?:send|append)|service\ (?:not\ available|unavailable)|mailer\ error|command\ (?:died|
    output)|unable\ to\ (?:contact|connect)|
    I/O|lost\ connection|wasn't\ able\ to\ establish""",
    re.IGNORECASE | re.VERBOSE,
)
_REFUSED = re.compile(
    r"""block|reject|refus|denied|not\ (?:accept|allow|permitted|authori)|polic(?:y|ies)|prohibit|filter|
    restrict|
    syntax|unacceptable|content|protocol|security""",
    re.IGNORECASE | re.VERBOSE,
)


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
    words = text.one_line(words, MAX_WORDS)
    return bool(status_in(words)) or _by_words(words) is not None


def judge(status: str, words: str, *, action: str = "failed") -> BounceKind:
    """What a failure means for the address; `words` may be empty, `status` too."""
    if action == "delayed":
        return BounceKind.DELAYED
    words = text.one_line(words, MAX_WORDS)
    status = _best_status(status, words)
    numbers = tuple(int(number) for number in status.split(".")) if status else (0, 0, 0)
    if numbers[0] == 4 or (numbers[1] in (1, 2) and (_FULL.search(words) or _BUSY.search(words))):
        return BounceKind.SOFT
    by_words = _by_words(words)
    kind = _BY_STATUS.get((numbers[1], numbers[2])) or (_BY_SUBJECT.get(numbers[1]) if numbers[2] else None)
    if numbers[1] == 1 and not numbers[2]:
        return BounceKind.BLOCKED if _SENDER_REFUSED.search(words) else BounceKind.HARD
    if kind is None or numbers[1] in (3, 4, 5):
        return by_words or kind or BounceKind.BLOCKED
    return kind


def _best_status(stated: str, words: str) -> str:
    """The more telling of the report's own code and those in the far server's answer."""
    stated = status_in(stated)
    if stated and not stated.endswith(".0"):
        return stated
    found = [match.group() for match in _STATUS.finditer(words) if match.group(1) != "2"]
    telling = [code for code in found if not code.endswith(".0")] or found
    return (telling or [stated])[0]


def _by_words(words: str) -> BounceKind | None:
    for pattern, kind in (
        (_SENDER_REFUSED, BounceKind.BLOCKED),
        (_FULL, BounceKind.SOFT),
        (_UNKNOWN_ADDRESS, BounceKind.HARD),
        (_BUSY, BounceKind.SOFT),
        (_LATER, BounceKind.SOFT),
        (_REFUSED, BounceKind.BLOCKED),
    ):
        if pattern.search(words):
            return kind
    return None
