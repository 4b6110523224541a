"""Adding and changing people, and finding the site that they belong to."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.models import User
from outreach.models import Basis, Contact, Site


class BadContact(ValueError):
    """`field` names the form's field, the message is the sentence beside it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def clean_address(text: str) -> str:
    """The address, or BadContact("address", …)."""
    raise NotImplementedError


def first_name_of(name: str) -> str:
    raise NotImplementedError


def registrable(text: str) -> str:
    """The registrable domain of an address, host or URL ("" where there is none)."""
    raise NotImplementedError


def site_for(text: str) -> Site | None:
    """The site of an address, host or URL, made on first use; None for free-mail hosts and nonsense."""
    raise NotImplementedError


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
    tracking_consent: str = "unknown",
    fields: Mapping[str, str] | None = None,
    contact: Contact | None = None,
    actor: User | None = None,
) -> Contact:
    """Make or change one person. Raises BadContact (also for an address that somebody else has)."""
    raise NotImplementedError


def find(address: str) -> Contact | None:
    raise NotImplementedError


def delete_contact(contact: Contact, *, actor: User | None) -> None:
    raise NotImplementedError
