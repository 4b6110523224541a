"""Whether somebody still needs an account's grant: Google's revoke ends all of it, wherever it was given.

Where its one live connection is stands in the directory. A consent that waits for its person may stand in
another workspace, so a mark of the newest one is kept beside, in Redis; without it no grant is ended.
"""

from __future__ import annotations

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.tenancy import current_workspace_id
from mailbox.models import MailboxIdentity

MARK_SECONDS = 1200


def is_elsewhere(identity: bytes) -> bool:
    """Whether the account has a live connection in another workspace than the open one."""
    rows = MailboxIdentity.objects.filter(pk=identity, live_in__isnull=False)
    return rows.exclude(live_in=current_workspace_id()).exists()


def note_consent(identity: bytes, consent: str) -> None:
    """`consent` is now the newest one of this account."""
    try:
        cache.set(_key(identity), consent, timeout=MARK_SECONDS)
    except RedisError:
        pass  # Then `is_needed` finds no mark, or an older one, and lets the grant be.


def is_needed(identity: bytes, *, but_for: str = "") -> bool:
    """Whether a live connection, or a newer consent than `but_for`, rests on the grant."""
    if MailboxIdentity.objects.filter(pk=identity, live_in__isnull=False).exists():
        return True
    try:
        newest = cache.get(_key(identity))
    except RedisError:
        return True
    return newest != but_for if but_for else newest is not None


def _key(identity: bytes) -> str:
    return f"consent:{bytes(identity).hex()}"


def forget_consent(identity: bytes) -> None:
    """The newest consent has become a connection, or was declined."""
    try:
        cache.delete(_key(identity))
    except RedisError:
        pass
