"""Second factors are the people's, not a workspace's: their secrets stand under the installation's data key.

What is kept in a session for a while (accounts/people/proof.py, accounts/membership/invited.py) is under that
key too, and is not brought along: after a rotation such a form is asked for once more.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter

from allauth.mfa.models import Authenticator

from accounts.encryption import Unreadable, version_of
from accounts.keyring.sealed_columns import Swept
from accounts.people import factors


def count_by_version() -> Counter[int]:
    """How many secrets stand under each version of the installation's data key."""
    return Counter(
        _version(value)
        for row in Authenticator.objects.order_by("pk").iterator()
        for value in factors.sealed_values(row).values()
    )


def sweep(*, newest: int) -> Swept:
    """Bring every secret under the newest version, which `factors.seal` uses; one pass."""
    done = Swept()
    for row in Authenticator.objects.order_by("pk").iterator():
        stale = {
            name: value for name, value in factors.sealed_values(row).items() if _version(value) != newest
        }
        if not stale:
            continue
        try:
            renewed = {name: factors.seal(factors.unseal(value)) for name, value in stale.items()}
        except Unreadable as error:
            done.unreadable.append(f"mfa_authenticator {row.pk}: {error}")
            continue
        if Authenticator.objects.filter(pk=row.pk, data=row.data).update(data={**row.data, **renewed}):
            done.moved += len(stale)
        else:
            done.passed_over += 1
    return done


def _version(value: str) -> int:
    try:
        return version_of(base64.b64decode(value, validate=True)[:3])
    except binascii.Error:
        return -1
