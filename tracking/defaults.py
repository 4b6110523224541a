"""What may be observed of whom (decisions 18)."""

from __future__ import annotations

from typing import NamedTuple

# fmt: off
EUROPEAN_UNION = frozenset([
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
])
EEA_UK_AND_SWITZERLAND = frozenset(["IS", "LI", "NO", "GB", "CH"])
# Where the same law holds under a code of its own (France's overseas regions, Åland), the islands and
# Gibraltar that follow the UK's, and other spellings in use.
SAME_LAW = frozenset([
    "GF", "GP", "MQ", "MF", "RE", "YT", "AX", "GG", "GI", "IM", "JE", "EL", "EU", "UK",
])
# fmt: on
CONSENT_ONLY = EUROPEAN_UNION | EEA_UK_AND_SWITZERLAND | SAME_LAW


class Tracked(NamedTuple):
    """What a mail to this recipient may count."""

    opens: bool
    clicks: bool


def needs_consent(country: str) -> bool:
    """Whether tracking needs the recipient's recorded consent. True for an unknown country, too."""
    code = country.strip().upper()
    known = len(code) == 2 and code.isascii() and code.isalpha()
    # ISO 3166-1 leaves these codes to users: they name no country.
    free = code in ("AA", "ZZ") or "QM" <= code <= "QZ" or "XA" <= code <= "XZ"
    return not known or free or code in CONSENT_ONLY


def may_track(
    country: str,
    consent: str,
    *,
    workspace_opens: bool,
    workspace_clicks: bool,
    campaign_opens: bool | None = None,
    campaign_clicks: bool | None = None,
    text_only: bool = False,
) -> Tracked:
    """`consent` is "given", "refused" or "unknown" (the contact's tracking consent).

    A campaign's flag of None follows the workspace. Consent opens what the flags want and never more:
    a text-only mail is never tracked (promise 38), a refusal holds everywhere.
    """
    if text_only or consent == "refused" or (consent != "given" and needs_consent(country)):
        return Tracked(opens=False, clicks=False)
    return Tracked(
        opens=workspace_opens if campaign_opens is None else campaign_opens,
        clicks=workspace_clicks if campaign_clicks is None else campaign_clicks,
    )
