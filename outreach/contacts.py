"""Adding and changing people, and finding the site that they belong to."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import tldextract
from django.db import IntegrityError, transaction
from email_validator import EmailNotValidError, validate_email

from accounts import audit, clock, viewpoint
from accounts.models import User
from accounts.viewpoint import whole_workspace
from outreach.inbox import search
from outreach.models import Basis, Consent, Contact, Enrollment, Message, RemovalCase, Site, Thread
from outreach.models.contacts import address_index
from outreach.rendering import FIELDS

DEFAULT_SOURCE = "Added by hand"
MOST_FIELDS = 40
LONGEST_FIELD = 2000
# Mail hosts for everybody: an address there says nothing about a site.
# fmt: off
FREE_MAIL = frozenset([
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com",
    "icloud.com", "me.com", "aol.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com",
])
# fmt: on
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "sir", "mme", "m", "sr", "sra"])
_FIELD_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")


class BadContact(ValueError):
    """`field` names the form's field, the message is the sentence beside it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    # The list that the package ships: nothing is fetched, nothing is written.
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def clean_address(text: str) -> str:
    """The address, its domain in lower case, or BadContact("address", …). Nothing is looked up."""
    trimmed = text.strip().removeprefix("mailto:").strip()
    if not trimmed:
        raise BadContact("address", "An address is needed.")
    if _CONTROL.search(trimmed):
        raise BadContact("address", "Line breaks and control characters cannot stand in an address.")
    try:
        found = validate_email(trimmed[:400], check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadContact("address", f"“{trimmed[:80]}” is not an address: {_said(error)}") from error
    return found.ascii_email or found.normalized


def _said(error: EmailNotValidError) -> str:
    words = str(error).rstrip(".")
    return words[:1].lower() + words[1:] + "."


def clean_line(field: str, text: str, longest: int) -> str:
    """One line of text, trimmed; BadContact where it holds what could become a header."""
    trimmed = text.strip()
    if _CONTROL.search(trimmed):
        raise BadContact(field, "Line breaks and control characters cannot stand here.")
    if len(trimmed) > longest:
        raise BadContact(field, f"At most {longest} characters; this has {len(trimmed)}.")
    return trimmed


def first_name_of(name: str) -> str:
    """The given name in "Ana Lima", "Lima, Ana" and "Dr. Ana Lima"; "" where none can be told."""
    given = name.partition(",")[2] or name
    for word in given.split():
        bare = word.strip(".,;()\"'")
        if bare and bare.lower() not in _TITLES:
            plain = "@" not in bare and any(letter.isalpha() for letter in bare)
            # A lone initial is no name to greet anybody by.
            return bare if plain and len(bare) > 1 else ""
    return ""


def registrable(text: str) -> str:
    """The registrable domain of an address, host or URL in lower case ("" where there is none)."""
    host = text.strip().lower()
    try:
        if "://" in host:
            host = urlsplit(host).hostname or ""
        else:
            host = host.rpartition("@")[2].partition("/")[0].partition(":")[0]
        found = _suffixes()(host.strip("."), include_psl_private_domains=True)
        if found.suffix and found.domain:
            return f"{found.domain}.{found.suffix}".encode("idna").decode()
        # Names reserved for examples and tests have no public suffix: the last two labels are the site.
        labels = host.strip(".").split(".")
        reserved = labels[-1] in ("example", "test", "localhost", "invalid") and len(labels) > 1
        return ".".join(labels[-2:]) if reserved and all(labels) else ""
    except (ValueError, UnicodeError):
        return ""


def site_for(text: str) -> Site | None:
    """The site of an address, host or URL, made on first use; None for free-mail hosts and nonsense."""
    domain = registrable(text)
    if not domain or domain in FREE_MAIL:
        return None
    return Site.objects.get_or_create(domain=domain)[0]


def find(address: str) -> Contact | None:
    return Contact.objects.filter(address_index=address_index(address)).first()


@whole_workspace("the address book belongs to all projects")
def save_contact(
    *,
    address: str,
    name: str = "",
    first_name: str = "",
    company: str = "",
    website: str = "",
    country: str = "",
    timezone: str = "",
    basis: str = Basis.LEGITIMATE,
    source: str = "",
    tracking_consent: str = Consent.UNKNOWN,
    fields: Mapping[str, str] | None = None,
    contact: Contact | None = None,
    actor: User | None = None,
) -> Contact:
    """Make or change one person. Raises BadContact (also for an address that somebody else has)."""
    row = contact or Contact()
    row.touched_at = clock.now() if contact else None
    row.address = clean_address(address)
    row.address_index = address_index(row.address)
    row.name = clean_line("name", name, 160)
    row.first_name = clean_line("first_name", first_name, 80) or first_name_of(row.name)
    row.company = clean_line("company", company, 160)
    row.country = clean_country(country)
    row.timezone = clean_timezone(timezone)
    row.basis = _choice("basis", basis, Basis.values)
    row.tracking_consent = _choice("tracking_consent", tracking_consent, Consent.values)
    row.source = clean_line("source", source, 200) or DEFAULT_SOURCE
    row.fields = clean_fields(fields or {})
    if website.strip() and not registrable(website):
        raise BadContact("website", f"“{website.strip()[:80]}” is not a website.")
    row.site = site_for(website) if website.strip() else site_for(row.address)
    taken = find(row.address)
    if taken is not None and (contact is None or taken.pk != contact.pk):
        raise BadContact("address", "Somebody with this address is in the list already.")
    try:
        with transaction.atomic():
            row.save()
            Message.objects.filter(contact=row).ask_again("window")
            if contact is not None:
                search.forget(Thread.objects.filter(contact=row))
            audit.record(
                "contact.changed" if contact else "contact.added",
                f"{row.address} {'changed' if contact else 'added'}",
                actor=actor,
                object_id=row.pk,
            )
    except IntegrityError as error:
        raise BadContact("address", "Somebody with this address is in the list already.") from error
    return row


def clean_country(text: str) -> str:
    code = text.strip().upper()
    if code and not re.fullmatch(r"[A-Z]{2}", code):
        raise BadContact("country", "Write the country as two letters, such as PT.")
    return code


def clean_timezone(text: str) -> str:
    name = text.strip()
    if name and name not in zoneinfo.available_timezones():
        raise BadContact("timezone", f"“{name[:60]}” is not a time zone. Write one such as Europe/Lisbon.")
    return name


def clean_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Custom merge fields: names as templates can write them, values of one line each."""
    found: dict[str, str] = {}
    for raw, value in fields.items():
        name = field_name(raw)
        if not name:
            raise BadContact("fields", f"“{raw.strip()[:40]}” cannot be a field's name.")
        found[name] = clean_line("fields", str(value), LONGEST_FIELD)
    if len(found) > MOST_FIELDS:
        raise BadContact("fields", f"At most {MOST_FIELDS} fields of your own.")
    return found


def field_name(header: str) -> str:
    """ "Page title" → "page_title"; "" where nothing usable is left or the name is built in."""
    name = re.sub(r"[^a-z0-9]+", "_", header.strip().lower()).strip("_")[:40]
    if name and name[0].isdigit():
        name = f"f_{name}"[:40]
    return name if _FIELD_NAME.fullmatch(name) and name not in FIELDS else ""


@whole_workspace("the mail of all projects goes with a person")
def delete_contact(contact: Contact, *, actor: User | None) -> None:
    """The person with all mail to and from them. A suppression of the address stays."""
    with transaction.atomic():
        audit.record("contact.deleted", f"{contact.address} deleted with all mail", actor=actor)
        Thread.objects.filter(contact=contact).delete()
        Message.objects.filter(contact=contact).delete()
        contact.delete()


def is_elsewhere(contact: Contact) -> bool:
    """Whether projects that this member does not see hold mail or work about the person."""
    here = viewpoint.current()
    if here is None or here.projects is None:
        return False
    with whole_workspace("only whether, not what"):
        rows = (
            Message.objects.filter(contact=contact).exclude(project__in=here.projects),
            Enrollment.objects.filter(contact=contact).exclude(campaign__project__in=here.projects),
            RemovalCase.objects.filter(contact=contact).exclude(project__in=here.projects),
        )
        return any(found.exists() for found in rows)


def _choice(field: str, value: str, choices: list[str]) -> str:
    if value not in choices:
        raise BadContact(field, "Choose one of the list.")
    return value
