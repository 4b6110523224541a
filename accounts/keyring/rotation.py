"""Changes keys while the product runs: wrapping keys in minutes, data keys value by value.

Everything may be killed at any point and started again: what is left to do stands in the key store and in the
ciphertexts themselves. A workspace's old data key goes only when no value under it is left, and only after a
grace in which another process may still hold it: whoever has not yet asked for the newest version, or writes
back a row that was read before.
"""

from __future__ import annotations

import functools
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.models import Max
from django.db.models.functions import Now

from accounts import audit
from accounts.keyring import sealed_columns, sealed_factors
from accounts.keyring.keystore import DATA, INSTALLATION, KeyRotation, WorkspaceKey, learn_newest, mint
from accounts.keyring.providers import Unreadable, provider
from accounts.origin import ActorKind
from accounts.tenancy import every_workspace

Say = Callable[[str], object]


@dataclass
class Done:
    """The figures of one run."""

    rewrapped: int = 0
    moved: int = 0
    passed_over: int = 0
    removed: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Owner:
    """Whom a data key belongs to: a workspace, which is open meanwhile, or the installation."""

    id: uuid.UUID
    name: str
    count: Callable[[], Counter[int]]
    sweep: Callable[..., sealed_columns.Swept]


@dataclass(frozen=True)
class Standing:
    """One owner: the newest version, and how many values stand under each."""

    name: str
    newest: int
    values: Counter[int]
    # Versions whose key is there; with more than one, a rotation is under way.
    versions: tuple[int, ...]


def wrapped_by() -> Counter[str]:
    """How many keys of the key store each wrapping key holds."""
    return Counter(WorkspaceKey.objects.values_list("kek_id", flat=True))


def owners(reason: str) -> Iterator[Owner]:
    for here in every_workspace(reason):
        yield Owner(
            here.pk,
            here.sid,
            functools.partial(sealed_columns.count_by_version, here.pk),
            functools.partial(sealed_columns.sweep, here.pk),
        )
    yield Owner(INSTALLATION, "installation", sealed_factors.count_by_version, sealed_factors.sweep)


def standing() -> list[Standing]:
    """Every owner of a data key. Changes nothing."""
    found = []
    for owner in owners("count values by key version"):
        if versions := _versions(owner.id):
            found.append(Standing(owner.name, versions[-1], owner.count(), versions))
    return found


def rewrap(say: Say) -> int:
    """Wrap every key anew with the newest wrapping key. Raises Unreadable where an older one is missing."""
    newest = provider().newest()
    done = 0
    for row in WorkspaceKey.objects.exclude(kek_id=newest).order_by("pk").iterator():
        key_id, blob = provider().wrap(row.unwrap(), row.aad)
        # Two runs side by side: the second finds the row changed, and leaves it.
        done += WorkspaceKey.objects.filter(pk=row.pk, kek_id=row.kek_id).update(kek_id=key_id, wrapped=blob)
    say(f"wrapping keys: {done} keys wrapped anew with {newest}")
    return done


def rotate(say: Say, *, grace: float) -> Done:
    """All of it; `grace` in seconds. Raises Unreadable where a wrapping key is missing."""
    done = Done(rewrapped=rewrap(say))
    current = KeyRotation.objects.filter(finished_at=None).order_by("pk").first()
    say(f"going on with rotation {current.pk}" if current else "a new rotation")
    current = current or KeyRotation.objects.create()
    current.refresh_from_db()
    for owner in owners("rotate keys"):
        _renew(owner.id, current)
        _sweep(owner, done, say)
    _retire(done, say, grace=grace)
    # A process that was not restarted since KEYS changed may have wrapped with its own newest.
    done.rewrapped += rewrap(say)
    KeyRotation.objects.filter(finished_at=None).update(finished_at=Now())
    return done


def _versions(owner_id: uuid.UUID) -> tuple[int, ...]:
    rows = WorkspaceKey.objects.filter(workspace_id=owner_id, purpose=DATA).order_by("version")
    return tuple(rows.values_list("version", flat=True))


def _renew(owner_id: uuid.UUID, rotation: KeyRotation) -> None:
    """A new data key, unless this rotation, or the first write since it began, has made one."""
    newest = WorkspaceKey.objects.filter(workspace_id=owner_id, purpose=DATA).aggregate(
        version=Max("version"), at=Max("created_at")
    )
    if newest["version"] is not None and newest["at"] < rotation.started_at:
        mint(owner_id, DATA, version=newest["version"] + 1)
        learn_newest()


def _sweep(owner: Owner, done: Done, say: Say) -> bool:
    """Bring everything of one owner under its newest key; whether anything stood under another."""
    versions = _versions(owner.id)
    if len(versions) < 2:
        return False
    found = False
    while True:
        swept = owner.sweep(newest=versions[-1])
        done.moved += swept.moved
        done.passed_over += swept.passed_over
        found = found or bool(swept.moved or swept.passed_over)
        if swept.moved or swept.unreadable:
            say(f"{owner.name}: {swept.moved} values brought under version {versions[-1]}")
        if not swept.passed_over:
            done.unreadable = list(dict.fromkeys([*done.unreadable, *swept.unreadable]))
            return found


def _retire(done: Done, say: Say, *, grace: float) -> None:
    """Remove old data keys once nobody can be using them any more."""
    quiet_since = time.monotonic()
    while any(len(_versions(owner.id)) > 1 for owner in owners("find old data keys")):
        wait = quiet_since + grace - time.monotonic()
        if wait > 0:
            say(f"old data keys are kept for another {wait:.0f} s")
            time.sleep(min(wait, 10.0))
            continue
        # Every one is looked at: no shortcut past an owner whose turn it is.
        late = [_sweep(owner, done, say) for owner in owners("rotate keys")]
        if any(late):
            quiet_since = time.monotonic()
            continue
        for owner in owners("remove old data keys"):
            _remove_old(owner, done, say)
        return


def _remove_old(owner: Owner, done: Done, say: Say) -> None:
    *old, newest = _versions(owner.id) or (0,)
    if not old:
        return
    if any(count for version, count in owner.count().items() if version != newest):
        say(f"{owner.name}: values under an old key are left, so it is kept")
        return
    rows = WorkspaceKey.objects.filter(workspace_id=owner.id, purpose=DATA, version__in=old)
    done.removed += rows.delete()[0]
    say(f"{owner.name}: data key version {', '.join(map(str, old))} removed, {newest} is in use")
    if owner.id != INSTALLATION:
        audit.record(
            "workspace.rekeyed",
            f"Everything stored here stands under a new key, version {newest}",
            object_id=owner.id,
            by=ActorKind.OPERATOR,
        )


def missing_wrapping_keys() -> list[str]:
    """A sentence for each wrapping key that the key store names and that does not open what it wrapped."""
    faults = []
    for key_id in sorted(wrapped_by()):
        row = WorkspaceKey.objects.filter(kek_id=key_id).order_by("pk").first()
        try:
            if row is not None:
                row.unwrap()
        except Unreadable as error:
            faults.append(str(error))
    return faults
