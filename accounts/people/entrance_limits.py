"""How often a password may be tried, before any password is looked at (threats T29).

| counted | limit | so that |
|---|---|---|
| tries from one address | 30 a minute | a machine cannot hurry |
| tries from one address that do not fit | 10 a minute | lists of stolen passwords do not get far |
| tries at one account from one address that do not fit | 5 in 5 minutes | guessing is slow |
| tries at one account from anywhere that do not fit | 30 an hour | a thousand addresses guess no faster |
| tries from a browser the person has used before | 5 in 5 minutes, apart | nobody locks the owner out |

A person under attack at a new machine sets a new password by mail: that browser then counts as theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.core.internal.ratelimit import truncate_ip
from django.http import HttpRequest

from accounts.limits import Limit
from accounts.origin import client_address
from accounts.people import known_browsers

ADDRESS_TRIES = Limit("sign-in", 30, 60)
ADDRESS_MISSES = Limit("sign-in-missed", 10, 60)
PAIR_MISSES = Limit("sign-in-pair", 5, 300)
ACCOUNT_MISSES = Limit("sign-in-account", 30, 3600)
BROWSER_MISSES = Limit("sign-in-browser", 5, 300)
# Mails that a stranger can cause, to one address.
MAILS = Limit("mail-to", 5, 3600)


@dataclass(frozen=True)
class Try:
    """What one try has been counted under; given back when the password fits."""

    counted: tuple[tuple[Limit, str], ...]

    def fits(self) -> None:
        for limit, who in self.counted:
            limit.give_back(who)


def begin_try(request: HttpRequest, email: str) -> Try | None:
    """Count a try at this account; None where it must wait. An address without an account counts the same."""
    account = email.strip().lower()
    person = known_browsers.person_known_by(request, account)
    if person is not None:
        return _take([(BROWSER_MISSES, person.sid)])
    address = truncate_ip(client_address(request))
    if not ADDRESS_TRIES.take(address):
        return None
    return _take(
        [
            (ADDRESS_MISSES, address),
            (PAIR_MISSES, f"{account} {address}"),
            (ACCOUNT_MISSES, account),
        ]
    )


def _take(limits: list[tuple[Limit, str]]) -> Try | None:
    taken: list[tuple[Limit, str]] = []
    for limit, who in limits:
        if not limit.take(who):
            # What was counted before stands: a refused try is a try.
            return None
        taken.append((limit, who))
    return Try(tuple(taken))
