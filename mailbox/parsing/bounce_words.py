"""What mail servers say when they refuse a mail, gathered by what it means for the sender.

The wordings are those of RFC 3463's own names, of the mail servers that the field meets most (Postfix, Exim,
Sendmail, qmail, Exchange, Domino, Courier, OpenSMTPD, PowerMTA) and of the large providers. Each pattern is
an alternation of short words without nested repetition, so its time grows with the text and no faster.
"""

from __future__ import annotations

import re

# Full, or over its quota: the person is still there.
FULL = re.compile(
    r"""(?:mail\ ?box|account|inbox|maildir|quota|user|storage|folder|disk|
        recipient)(?:'s)?\S{0,12}\ (?:is\ |has\ |
    size\ )?(?:currently\ |now\ |already\ )?(?:full|over|exceed|out\ of|too\ full)|
    over\ ?quota|reached\ (?:\w+\ ){0,2}quota|quota\ (?:is\ )?(?:exceed|full|violation)|\bquota\ for\ |
    exceed\w*\ (?:\w+\ ){0,4}(?:quota|storage|(?:mailbox|local)\ (?:size\ )?limit)|
    exceeded\ (?:\w+\ ){0,2}mailbox|
    insufficient\ (?:system\ )?(?:storage|disk|space)|not\ enough\ (?:storage|disk|space)|
    (?:storage|disk|mailbox)\ (?:\w+\ )?limit|out\ of\ (?:storage|space)|no\ space\ left|
    too\ much\ mail|mailbox\ too\ large|full\ mailbox|mailbox\ full|
    boîte\ (?:aux\ lettres\ )?pleine|Postfach\ (?:ist\ )?voll|casella\ piena|buz[óo]n\ lleno|
    容量|メールボックスが一杯""",
    re.IGNORECASE | re.VERBOSE,
)
# So many mails, not this mail: later it may be taken.
TOO_FAST = re.compile(
    r"""too\ many\ (?:recipients|connections|messages|mails?|emails|sessions|concurrent|errors)|rate\ limit|
    throttl|(?:daily|hourly|message|sending)\ (?:\w+\ )?(?:quota|limit)\ (?:\w+\ )?(?:exceeded|reached)|
    greylist|graylist|unusual\ rate|at\ a\ rate|frequency\ limit|too\ (?:fast|frequent)|concurrent|
    limit\ exceeded""",
    re.IGNORECASE | re.VERBOSE,
)
# cPanel's sentence goes on to guess at blacklists; the account is what it says first.
CLOSED_OR_GONE = re.compile(r"(?:account|domain) (?:or domain )?may not exist", re.IGNORECASE)
REPUTATION = re.compile(r"reputation|spamhaus|blacklist|block\s?list|\bRBL\b|dnsbl", re.IGNORECASE)
TOO_LARGE = re.compile(
    r"""(?:message|mail|content|size|it\ is|body)\ (?:\w+\ ){0,3}(?:too\ (?:big|large|long)|larger\ than)|
    too\ (?:big|large)\ for|size\ (?:limit|exceed)|exceeds?\ (?:\w+\ ){0,3}(?:size|maximum)|sizelimit|
    message\ length\ exceeds""",
    re.IGNORECASE | re.VERBOSE,
)
# The sender, its address, its network, its signatures, or what the mail says.
SENDER = re.compile(
    r"""\bspam\b|spam\ |spammer|anti-?spam|is\ spam|blacklist|block\ ?list|black\ list|
    blocked\ (?:using|by|because|due|for|in|at)|blocked\ ip|ip\ (?:address\ )?(?:is\ |
    has\ been\ )?(?:blocked|banned|listed)|
    \bRBL\b|dnsbl|spamhaus|barracuda|spamcop|sorbs|senderbase|senderscore|proofpoint|reputation|
    virus|malware|phish|\bDMARC\b|\bSPF\b|\bDKIM\b|authentication\ (?:checks|required|failed|information)|
    unauthenticated|not\ authenticated|sender\ id\b|purported\ responsible|
    relay(?:ing)?\ (?:is\ )?(?:not\ permitted|denied|prohibited|access\ denied|not\ allowed|mail)|mail\ relay|
    not\ relay|(?:unable|configured|refus\w+)\ to\ relay|rely\ access|relay\ mail|must\ authenticate|
    not\ verified|
    reverse\ (?:dns|hostname|lookup|address)|(?:PTR|rDNS)\b|ip\ name\ lookup|unverif[iy]\w*\ sending|
    mismatches\ client|sending\ ip|invalid\ ip|fix\ reverse|(?:invalid|valid)\ sender\ domain|
    (?:not\ accepted|rejected|refused|denied|prohibited|blocked)\ (?:for|due\ to|by|
    because\ of)\ (?:\w+\ ){0,2}polic|
    (?:denied|rejected)\ by\ policy|policy\ (?:reasons|violation|restriction|reject)|violat(?:es|ed|ion)|
    senders?\ (?:e-?mail\ )?(?:address\ |domain\ )?(?:is\ )?(?:rejected|denied|blocked|
    not\ (?:authori[sz]ed|allowed|
    permitted|valid)|refused|verify|could\ not\ be\ verified|does\ not\ exist|unknown|invalid|bad)|
    (?:domain\ of\ sender|sender\ address|mailfrom\ domain)\b|from:?\ (?:domain|header)|un(?:known|
    routable)\ sender|
    mail\ bomb|permission\ to\ post|not\ have\ permission|pas\ autorisé|no\ permission|
    bulk\ mail|unsolicited|\bUBE\b|\bUCE\b|unwanted|objectionable|banned|undesirable|
    rfc\ ?[25][38]22|not\ RFC|rfc\ compliant|non-?compliant|bare\ (?:lf|cr|line)|
    duplicate\ header|multiple\ addresses|header\ error|
    (?:message|mail)\ (?:content\ )?(?:rejected|filtered|refused)|content\ (?:rejected|filter|error)|
    content\ is\ not|
    illegal\ (?:attachment|header)|attachment|must\ issue\ a\ STARTTLS|encryption\ (?:needed|required)|
    smtp\ server\ of\ your\ isp|only\ accept\w*\ (?:mail|messages?)\ from|not\ accepted\ from|
    resolver\.rst|rule\ imposed|blocked\ by\ the\ recipient|user\ reject|recipient\ preferences|
    restricted|protected\ by|
    access\ denied\.\.\.|blocked\ for\ abuse|server\ refused\ to\ talk|host\ network""",
    re.IGNORECASE | re.VERBOSE,
)
# The account is there and closed.
DISABLED = re.compile(
    r"""(?:mail\ ?box|account|user|recipient|address|login|
        user\(s\)\ account)\S{0,30}\ (?:address\ )?(?:is\ |was\ |are\ |
    has\ been\ |have\ been\ |that\ you\ tried\ to\ reach\ is\ )?(?:currently\ |temporarily\ )?
    (?:disabled|inactive|suspended|deactivated|terminated|closed|expired|frozen|locked|blocked|discontinued|
    bloque|bloqué|not\ active)|
    (?:disabled|inactive|suspended|deactivated|frozen)\ (?:recipient|account|user|mailbox|address|mail)|
    account\ has\ been|sorry,?\ (?:this|that)\ (?:account|user)|gesperrt|desactivad|désactivé|
    unavailable\ or\ access\ denied""",
    re.IGNORECASE | re.VERBOSE,
)
# Nobody of that name, or no such place.
UNKNOWN = re.compile(
    r"""(?:user|recipients?|mail\ ?box|account|address(?:es)?|addressee|local\ ?part|alias|login|member|
        userid|name|
    person|spectator)\S{0,64}\ (?:address\ |name\ |email\ )?(?:is\ |are\ |was\ |were\ |has\ been\ |does\ |
    did\ |that\ you\ tried\ to\ reach\ )?
    (?:currently\ )?(?:not\ recogni[sz]ed|unknown|not\ (?:a\ )?(?:be\ )?(?:found|exist|known|valid|local|
    listed|have|present|ok|accepted|
    registered)|n['o]t\ exist|doesn'?t\ (?:exist|have)|does\ not\ exist|invalid|unavailable|unavaiable|
    deleted|no\ longer|
    couldn'?t\ be\ found|could\ not\ be\ found|undeliverable|unrouteable|notfound|missing)|
    (?:unknown|invalid|no\ such|nonexist(?:e|a)nt|non-?exist(?:e|a)nt|bad|incorrect|undeliverable|unrouteable|
    unroutable|wrong|illegal)\ (?:e-?mail\ |final\ delivery\ |destination\ |virtual\ |or\ unknown\ |
    or\ missing\ ){0,2}(?:user|recipient|
    mail\ ?box|account|address|local|person|destination|alias|addressee|login|name|userid|rcpt)|
    (?:no|not\ a)\ (?:\w+\ ){0,3}(?:mail\ ?box|account|user|address|recipients?)\ (?:here|by|with|for|
    named|available)|
    no\ mail\ ?box|not\ (?:our\ customer|listed\ in|known\ (?:here|at)|in\ (?:name\ )?directory|
    a\ (?:known|valid|registered)\ |
    a\ local\ address)|no\ .{1,40}\ in\ name\ directory|
    (?:doesn't|does\ not|didn't|don't)\ (?:exist|have\ an?\b)|no\ longer\ (?:\w+\ ){0,3}(?:available|
    active|valid|
    exist|works?|in\ (?:use|service)|at|accept|on\ server|employed|with)|
    (?:has|have)\ moved|address\ (?:has\ )?changed|user\ unknown|unknown\ user|user\ not\ known|
    no\ valid\ recipients|recipient\ not\ found|recipients?\ (?:not\ exist|unknown)|
    (?:unknown|invalid|no\ such|nonexistent)\ (?:\w+\ )?(?:host|domain)|(?:host|
    domain)\ (?:\w+\ )?(?:unknown|not\ found|does)|
    (?:host|domain)\ name\ (?:lookup|not\ found)|host\ or\ domain\ name|name\ or\ service\ not\ known|
    couldn't\ find\ any\ host|
    unrouteable|unroutable|non-existent\ hosts?|may\ not\ exist|possibly\ incorrect|wasn'?t\ found|
    was\ not\ found|not\ match\ any|
    bad\ ?rcpt\ ?to|not\ in\ my\ (?:valid|list)|in\ my\ bad|
    mailbox\ (?:unavailable|not)|unknown\ (?:local|recipient)|not\ exist|retired|
    recipient\ address\ rejected:\ (?:access\ denied|(?:user\ )?unknown|undeliverable)|
    resolver\.adr|no\ one\ (?:by|at|with)|left\ the\ company|
    unbekannt|existiert\ nicht|nicht\ (?:gefunden|vorhanden)|inconnue?\b|n'existe\ (?:pas|plus)|
    destinataire\ invalide|
    desconocid|no\ existe|sconosciut|inesistente|nessun\ utente|onbekend|bestaat\ niet|desconhecid|
    não\ existe|
    ok[äa]nd|findes\ ikke|tuntematon|nieznany|neznám|не\ (?:существует|найден)|неизвестн|
    見つかりません|存在しません|リストにありません|不存在""",
    re.IGNORECASE | re.VERBOSE,
)
# The domain takes no mail at all: that is said of the place, not of the person.
TAKES_NO_MAIL = re.compile(
    r"""null\ ?mx|no\ (?:mail\ exchanger|mx\b)|couldn't\ find\ (?:a|any)\ mail\ exchanger|
        doesn't\ receive\ e?mail|
    does\ not\ (?:accept|receive)\ (?:any\ )?e?mail|not\ accepting\ (?:network\ )?messages|
    domain\ does\ not\ accept""",
    re.IGNORECASE | re.VERBOSE,
)
LATER = re.compile(
    r"""time[d-]?\ ?out|expired|connection\ (?:refused|reset|lost|closed|dropped|died|rate)|
        refused\ connection|
    unreachable|(?:was\ )?unable\ to\ (?:contact|connect|establish)|not\ respond|too\ long|retry|queue|
    for\ \d{1,3}\ (?:days|hours)|could\ not\ (?:connect|be\ contacted)|network\ error|not\ reachable|
    requests\ to\ connect|failing\ for|hop\ count|too\ many\ hops|(?:mail|routing)\ loop|loop(?:s|ing|
    ed)?\ (?:back|detected)|
    duplicated\ message-?id|loop\ alert|message\ looping|mail\ exchanger\ failed|failed\ \d{1,4}\ attempts|
    procmail|pipe\ to|x-unix|mailer\ error|mail\ system\ (?:full|error)|(?:server|system|internal|
    upstream)\ (?:down|error|busy)|
    local\ (?:configuration\ )?error|system\ (?:problem|configuration|incorrectly)|transaction\ failed|
    lock\ failure|
    on\ hold|does\ not\ support\ TLS|TLS\ (?:is\ )?(?:required|not|negotiation|handshake)|(?:cannot|can't|
    can\ not)\ (?:send|append|open|write|create)|
    service\ (?:currently\ )?(?:not\ available|unavailable)|command\ (?:died|output|time)|
    failed\ to\ read|write\ error|
    I/O\ error|lost\ connection|wasn't\ able\ to\ establish|no\ route\ to|malformed\ or\ unexpected|
    name\ server|
    try\ (?:again\ )?later|temporar(?:y|ily)|deferred|resources|essayer\ plus\ tard|spät(?:er|eren)|
    más\ tarde|più\ tardi""",
    re.IGNORECASE | re.VERBOSE,
)
REFUSED = re.compile(
    r"""block|reject|refus|denied|not\ (?:accept|allow|permitted|authori)|polic(?:y|ies)|prohibit|filter|
        restrict|
    syntax|improper|sequence|unacceptable|forbidden|unauthori[sz]ed|abuse""",
    re.IGNORECASE | re.VERBOSE,
)
# "Recipient address rejected" with nothing after it: the address is all that is objected to.
ADDRESS_REJECTED = re.compile(r"(?:recipient )?address rejected\.?\s{0,3}(?:\(|$)", re.IGNORECASE)

_STEPS = (
    ("data", r"end of data|data command|final data|>>>\s{0,3}data\b|\bcommand\W{1,12}data\b|text command|"
             r"step: data|"
             r"\(data\)|\[data\]|after i sent the message|after data\b|after sending data|in reply to data"),
    ("mail", r"mail from command|after mail from|>>>\s{0,3}mail from|our mail from|\[mail_?from\]|"
             r"\(mail from\)"),
    ("rcpt", r"rcpt to command|after rcpt to|>>>\s{0,3}rcpt to|our rcpt to|\[rcpt_?to\]|\(rcpt to\)|"
             r"does not like recipient|"
             r"rcpt command|state 14\b|\brcpt host\b"),
    ("open", r"initial connection|(?:ehlo|helo) command|after (?:ehlo|helo)|>>>\s{0,3}(?:ehlo|helo)|"
             r"refused to talk"),
)  # fmt: skip
_STEP = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _STEPS), re.IGNORECASE)


# Providers that take every recipient and give a filter's refusal these words afterwards.
_AFTER_TAKING_IT = re.compile(
    r"unknown user \S{1,64}@docomo\.ne\.jp|this user doesn't have an? \S{1,250} account \(\S{1,320}\) \[",
    re.IGNORECASE,
)
# An answer to RCPT names its recipient; these were given to the mail as a whole.
NAMELESS = re.compile(
    r"^smtp;\s{0,3}5\d\d[\s:-]{1,4}(?:user unknown|unknown user|no such user|user not found)\W{0,4}$",
    re.IGNORECASE,
)
# Yahoo's own, which it also gives after DATA.
_YAHOO_UNKNOWN = re.compile(r"delivery error: dd ", re.IGNORECASE)
# Sendmail sends DATA before it has read the answers to RCPT, so its transcript may blame the wrong step.
_NO_RECIPIENT_LEFT = re.compile(r"need rcpt|no valid recipients", re.IGNORECASE)


def step(words: str) -> str:
    """At which step of SMTP the answer came (open, mail, rcpt, data), or "" where not just one is named."""
    if _YAHOO_UNKNOWN.search(words):
        return "rcpt"
    if _AFTER_TAKING_IT.search(words):
        return "data"
    found = {match.lastgroup or "" for match in _STEP.finditer(words)}
    if found == {"data"} and _NO_RECIPIENT_LEFT.search(words):
        return ""
    return found.pop() if len(found) == 1 else ""
