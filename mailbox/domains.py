"""Whether a sender's domain vouches for its mail: SPF, DKIM and DMARC, as its name servers tell (G6).

`look` asks them and may take seconds; `known` gives what was found in the last hours and asks nobody. What
nobody answered is unknown, never good. A private account's domain is its provider's, who signs for it.
Nothing here stops a mail (decisions 9).
"""

from __future__ import annotations

import enum
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts import outbound
from mailbox.limits import is_consumer
from mailbox.models import Mailbox, Provider

LASTS = 6 * 3600
SOON = 600
# For all questions about one domain.
SECONDS = 4.0
# A receiver makes ten look-ups for SPF and gives up at the eleventh (RFC 7208, 4.6.4).
MOST_INCLUDES = 10
_INCLUDE = {Provider.GOOGLE: "_spf.google.com", Provider.MICROSOFT: "spf.protection.outlook.com"}
# Microsoft's names are fixed; Google's is what its console proposes.
_SELECTOR = {Provider.GOOGLE: "google", Provider.MICROSOFT: "selector1"}
_MICROSOFTS = (".onmicrosoft.com", ".dkim.mail.microsoft")
_OTHERS = re.compile(r"[+?~]?include:(\S+)|redirect=(\S+)", re.IGNORECASE)
_POLICIES = frozenset(["none", "quarantine", "reject"])


class Name(enum.StrEnum):
    SPF = "SPF"
    DKIM = "DKIM"
    DMARC = "DMARC"


class Found(enum.StrEnum):
    GOOD = "good"
    MISSING = "missing"
    UNKNOWN = "unknown"


# By `why`: what is so, and what to do about it.
_WORDS = {
    "spf_names": (Found.GOOD, "SPF of {domain} names {company}.", ""),
    "spf_none": (
        Found.MISSING,
        "{domain} has no SPF record.",
        "Where its names are kept, add a TXT record for {domain}: “v=spf1 include:{include} ~all”.",
    ),
    "spf_other": (
        Found.MISSING,
        "SPF of {domain} does not name {company}.",
        "Add “include:{include}” to the TXT record that begins with “v=spf1”.",
    ),
    "spf_several": (
        Found.MISSING,
        "{domain} has more than one SPF record, so none counts.",
        "Keep one that begins with “v=spf1” and holds “include:{include}”.",
    ),
    "spf_unclear": (
        Found.UNKNOWN,
        "SPF of {domain} depends on the single mail, so it cannot be told from here.",
        "",
    ),
    "dkim_key": (Found.GOOD, "A DKIM key of {domain} stands at {company}’s name.", ""),
    "dkim_none": (
        Found.MISSING,
        "No DKIM key stands at {selector}._domainkey.{domain}.",
        "Turn on “Authenticate email” in the Google Admin console, under Apps and Gmail, and publish the "
        "record that it shows. Nothing is wrong where your administrator chose another name for the key.",
    ),
    "dkim_empty": (
        Found.MISSING,
        "The DKIM key at {selector}._domainkey.{domain} was withdrawn.",
        "Make a new one in the Google Admin console, under Apps and Gmail, “Authenticate email”.",
    ),
    "dkim_elsewhere": (
        Found.MISSING,
        "{selector}._domainkey.{domain} does not lead to Microsoft.",
        "In the Microsoft Defender portal, under Email authentication settings and DKIM, turn on signing for "
        "{domain} and publish the two CNAME records that it shows.",
    ),
    "dmarc_policy": (Found.GOOD, "{domain} has a DMARC policy: p={detail}.", ""),
    "dmarc_none": (
        Found.MISSING,
        "{domain} has no DMARC record.",
        "Add a TXT record at _dmarc.{domain}: “v=DMARC1; p=none” is enough to begin with.",
    ),
    "dmarc_broken": (
        Found.MISSING,
        "The DMARC record of {domain} names no policy.",
        "Write “v=DMARC1; p=none” at its beginning, or a stricter policy.",
    ),
    "dmarc_several": (
        Found.MISSING,
        "{domain} has more than one DMARC record, so none counts.",
        "Keep one at _dmarc.{domain}.",
    ),
    "not_asked": (Found.UNKNOWN, "{names} of {domain} {verb} not known: no name server answered.", ""),
    "no_public_name": (Found.UNKNOWN, "{names} of {domain} {verb} not known: that is no public name.", ""),
}


@dataclass(frozen=True)
class Record:
    """`why` is stable; `todo` is empty where nothing is to be done."""

    name: Name
    found: Found
    why: str
    sentence: str
    todo: str


@dataclass(frozen=True)
class Standing:
    """`records`: SPF, DKIM and DMARC; none for a private account, which needs none of its own."""

    domain: str
    company: str
    records: tuple[Record, ...]

    @property
    def is_good(self) -> bool:
        return all(record.found == Found.GOOD for record in self.records)

    @property
    def missing(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.found == Found.MISSING)

    @property
    def unknown(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.found == Found.UNKNOWN)

    @property
    def doubts(self) -> list[str]:
        """Why what is unknown is so: one sentence where it is the same for several."""
        names: dict[str, list[str]] = {}
        for record in self.unknown:
            names.setdefault(record.why, []).append(record.name)
        return [_WORDS[why][1].format(**_about(self.domain, some)) for why, some in names.items()]


_Finding = tuple[str, str]  # why, detail


def known(mailbox: Mailbox) -> Standing | None:
    """What was found lately; None where nobody has looked."""
    if is_consumer(mailbox.provider, subject=mailbox.subject, address=mailbox.address):
        return _standing(mailbox, [])
    if not outbound.is_public_name(domain_of(mailbox)):
        return _standing(mailbox, [("no_public_name", "")] * len(Name))
    try:
        found = cache.get(_key(mailbox))
    except RedisError:
        return None
    return _standing(mailbox, found) if found else None


def look(mailbox: Mailbox) -> Standing:
    """As `known`, and asks the name servers where it must. No transaction may be open."""
    kept = known(mailbox)
    if kept is not None:
        return kept
    until = time.monotonic() + SECONDS
    domain, provider = domain_of(mailbox), Provider(mailbox.provider)
    findings = [
        _answered(lambda: _spf(domain, provider, until)),
        _answered(lambda: _dkim(domain, provider, until)),
        _answered(lambda: _dmarc(domain, until)),
    ]
    standing = _standing(mailbox, findings)
    try:
        cache.set(_key(mailbox), findings, timeout=SOON if standing.unknown else LASTS)
    except RedisError:
        pass  # Then the next who looks asks again.
    return standing


def domain_of(mailbox: Mailbox) -> str:
    domain: str = mailbox.address.rpartition("@")[2].strip().lower()
    return domain


def _standing(mailbox: Mailbox, findings: list[_Finding]) -> Standing:
    provider, domain = Provider(mailbox.provider), domain_of(mailbox)
    records = []
    for name, (why, detail) in zip(Name, findings, strict=False):
        found, sentence, todo = _WORDS[why]
        filled = {
            **_about(domain, [name]), "company": provider.company, "detail": detail,
            "include": _INCLUDE[provider], "selector": _SELECTOR[provider],
        }  # fmt: skip
        records.append(Record(name, found, why, sentence.format(**filled), todo.format(**filled)))
    return Standing(domain, provider.company, tuple(records))


def _about(domain: str, names: list[str]) -> dict[str, str]:
    several = len(names) > 1
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if several else names[0]
    return {"domain": domain, "names": listed, "verb": "are" if several else "is"}


def _key(mailbox: Mailbox) -> str:
    """Redis learns no name."""
    return "domain:" + hashlib.sha256(f"{mailbox.provider} {domain_of(mailbox)}".encode()).hexdigest()


def _answered(ask: Callable[[], _Finding]) -> _Finding:
    try:
        return ask()
    except outbound.OutboundError:
        return "not_asked", ""


def _texts(name: str, until: float) -> list[str]:
    return _records(name, "TXT", until)


def _records(name: str, kind: str, until: float) -> list[str]:
    left = until - time.monotonic()
    if left <= 0:
        raise outbound.Unreachable("too slow")
    return outbound.records(name, kind, purpose=outbound.Purpose.DOMAIN, seconds=left)


def _spf(domain: str, provider: Provider, until: float) -> _Finding:
    """Whether the provider is named, here or in what this includes."""
    seen = {domain}
    asking, first, unclear = [domain], True, False
    silent: outbound.OutboundError | None = None
    while asking:
        try:
            found = [text for text in _texts(asking.pop(0), until) if _is_spf(text)]
        except outbound.OutboundError as error:
            if first:
                raise
            silent, found = error, []
        if first and len(found) != 1:
            return ("spf_several" if found else "spf_none"), ""
        first = False
        for word in " ".join(found).split():
            match = _OTHERS.fullmatch(word)
            name = (match[1] or match[2]).rstrip(".").lower() if match else ""
            if name == _INCLUDE[provider]:
                return "spf_names", ""
            if "%" in name:
                unclear = True
            elif name and name not in seen and len(seen) <= MOST_INCLUDES:
                seen.add(name)
                asking.append(name)
    if isinstance(silent, outbound.Unreachable):
        raise silent
    return ("spf_unclear" if unclear else "spf_other"), ""


def _is_spf(text: str) -> bool:
    return text.lower().split(" ", 1)[0] == "v=spf1"


def _dkim(domain: str, provider: Provider, until: float) -> _Finding:
    name = f"{_SELECTOR[provider]}._domainkey.{domain}"
    if provider == Provider.MICROSOFT:
        leads = [target.rstrip(".").lower() for target in _records(name, "CNAME", until)]
        return ("dkim_key" if any(lead.endswith(_MICROSOFTS) for lead in leads) else "dkim_elsewhere"), ""
    keys = [tags["p"] for tags in map(_tags, _texts(name, until)) if "p" in tags]
    if not keys:
        return "dkim_none", ""
    return ("dkim_key" if any(keys) else "dkim_empty"), ""


def _dmarc(domain: str, until: float) -> _Finding:
    """The record of the domain, else of the next above that has one, which speaks for its parts by `sp`."""
    labels = domain.split(".")
    for cut in range(max(len(labels) - 1, 1)):
        texts = _texts("_dmarc." + ".".join(labels[cut:]), until)
        found = [tags for tags in map(_tags, texts) if next(iter(tags.items()), None) == ("v", "DMARC1")]
        if len(found) > 1:
            return "dmarc_several", ""
        if found:
            policy = found[0].get("p", "").lower()
            if cut:
                policy = found[0].get("sp", policy).lower()
            return ("dmarc_policy", policy) if policy in _POLICIES else ("dmarc_broken", "")
    return "dmarc_none", ""


def _tags(text: str) -> dict[str, str]:
    """ "v=DMARC1; p=none" as tags and values, in their order."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
