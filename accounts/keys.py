"""Keys of a workspace: minted and shown once, stored as a hash, found by it, rotated with overlap, revoked.

A secret is `out_`, its kind, 43 characters with 256 random bits, and 8 that check the rest: a scanner that
looks for leaks knows it by its form, and a typo is told without asking the database. Hashing is one SHA-256
because 256 random bits cannot be guessed; a slow hash is for passwords (threats T31).

A key belongs to its workspace and works while the person who made it is an owner or admin there: who has seen
a secret and has left does not come back with it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import re
import secrets
import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.dispatch import receiver

from accounts import audit, clock
from accounts.apikeys.mails import tell_owners
from accounts.clock import Now
from accounts.models import ApiKey, KeyKind, KeyPlace, Membership, Role, User
from accounts.signals import member_left
from accounts.tenancy import current_workspace_id

OVERLAP = dt.timedelta(hours=24)
# The time of last use is kept to the minute, so that a busy key does not write with every request.
USE_NOTED_EVERY = dt.timedelta(minutes=1)
_LETTERS = {KeyKind.TOKEN: "tok", KeyKind.KEY: "key"}
_FORM = re.compile(r"out_(?:tok|key)_[A-Za-z0-9_-]{43}[0-9a-f]{8}")
_SHOWN = len("out_key_") + 6


class Scope(models.TextChoices):
    """What a key may do, in the words of the page that makes one."""

    READ = "read", "Look at projects, contacts, mailboxes, campaigns and texts"
    CONTACTS_WRITE = "contacts:write", "Add contacts, and make, fill and delete tags and lists"
    CAMPAIGNS_WRITE = "campaigns:write", "Write campaigns, choose their people, pause and cancel them"
    CAMPAIGNS_LAUNCH = "campaigns:launch", "Queue campaigns"
    LIBRARY_WRITE = "library:write", "Write and delete texts of the library"


class KeyGone(Exception):
    """The key cannot be rotated any more: it was revoked, has run out, or was rotated already."""


class AlreadyMinted(Exception):
    """This very form was sent before: its secret was shown and cannot be shown again."""


@dataclass(frozen=True)
class Minted:
    """A new key, and the only sight of its secret."""

    key: ApiKey
    secret: str


def digest_of(secret: str) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def well_formed(secret: str) -> bool:
    """Whether it could be a secret of ours: form and check digits. Nothing is looked up."""
    return bool(_FORM.fullmatch(secret)) and hmac.compare_digest(_check(secret[:-8]), secret[-8:])


def new_secret(kind: KeyKind) -> str:
    body = f"out_{_LETTERS[kind]}_{secrets.token_urlsafe(32)}"
    return body + _check(body)


def place_of(secret: str) -> uuid.UUID | None:
    """The workspace that this secret opens, from the directory of hashes."""
    if not well_formed(secret):
        return None
    found = KeyPlace.objects.filter(digest=digest_of(secret)).values_list("workspace_id", flat=True)
    return found.first()


def find(secret: str) -> ApiKey | None:
    """The key of this secret in the open workspace, whatever its state; `refusal` says whether it works."""
    digest = digest_of(secret)
    row = ApiKey.objects.select_related("created_by", "workspace").filter(digest=digest).first()
    return row if row is not None and hmac.compare_digest(bytes(row.digest), digest) else None


def refusal(key: ApiKey, *, address: str, at: dt.datetime) -> str:
    """Why this key does not work from this address now; "" where it does."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= at:
        return "expired"
    if not _within(address, key.networks):
        return "network"
    if not has_maker(key):
        return "maker"
    return ""


def has_maker(key: ApiKey) -> bool:
    """Whether who made the key is still somebody who may make one here."""
    maker = Membership.objects.filter(
        workspace=key.workspace_id,
        user=key.created_by_id,
        user__is_active=True,
        role__in=[Role.OWNER, Role.ADMIN],
    )
    return maker.exists()


def note_use(key: ApiKey, *, address: str, at: dt.datetime) -> None:
    """Time and place of the last use, at most once a minute."""
    if key.last_used_at is not None and at - key.last_used_at < USE_NOTED_EVERY:
        return
    fresh = Q(last_used_at=None) | Q(last_used_at__lte=at - USE_NOTED_EVERY)
    ApiKey.objects.filter(fresh, pk=key.pk).update(last_used_at=Now(), last_used_from=address[:45])


def current_token() -> ApiKey | None:
    """The workspace's own token that is not being replaced; None until somebody has looked at it."""
    return ApiKey.objects.filter(kind=KeyKind.TOKEN, revoked_at=None, expires_at=None).first()


def mint(
    *,
    name: str,
    scopes: Iterable[str],
    actor: User,
    pk: uuid.UUID,
    expires_at: dt.datetime | None = None,
    networks: Iterable[str] = (),
) -> Minted:
    """An API key. `pk` was minted with the form, so that sending it twice makes one. Raises AlreadyMinted."""
    wanted = set(scopes)
    row = ApiKey(
        pk=pk,
        kind=KeyKind.KEY,
        name=name,
        scopes=[scope for scope in Scope.values if scope in wanted],
        networks=list(networks),
        created_by=actor,
        expires_at=expires_at,
    )
    return _store(row, f"API key “{name}” made", "key.made", actor)


def mint_token(*, actor: User, pk: uuid.UUID) -> Minted:
    """The workspace's token, which may do everything that a key can. Raises AlreadyMinted."""
    row = ApiKey(
        pk=pk, kind=KeyKind.TOKEN, name="Workspace token", scopes=list(Scope.values), created_by=actor
    )
    return _store(row, "The workspace token was shown for the first time", "key.made", actor)


def rotate(key: ApiKey, *, actor: User, pk: uuid.UUID, overlap: dt.timedelta = OVERLAP) -> Minted:
    """A new secret with the same rights; the old one works until the overlap's end.

    Raises KeyGone, AlreadyMinted.
    """
    if ApiKey.objects.filter(pk=pk).exists():
        raise AlreadyMinted
    with transaction.atomic():
        old = ApiKey.objects.select_for_update(of=("self",)).filter(pk=key.pk, revoked_at=None).first()
        now = clock.now()
        if old is None or (old.expires_at and old.expires_at <= now) or old.successors.exists():
            raise KeyGone
        until, ends = old.expires_at, now + overlap
        ApiKey.objects.filter(pk=old.pk, revoked_at=None).update(
            expires_at=ends if until is None else min(until, ends)
        )
        row = ApiKey(
            pk=pk,
            kind=old.kind,
            name=old.name,
            scopes=old.scopes,
            networks=old.networks,
            created_by=actor,
            expires_at=until,
            succeeds=old,
        )
        return _store(row, f"“{old.name}” ({old.prefix}…) rotated", "key.rotated", actor)


def revoke(key: ApiKey, *, actor: User | None) -> bool:
    """It works no more from this commit on; False where it was revoked before."""
    with transaction.atomic():
        revoked = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now())
        if revoked:
            sentence = f"“{key.name}” ({key.prefix}…) revoked"
            audit.record("key.revoked", sentence, actor=actor, object_id=key.pk)
    return bool(revoked)


def revoke_made_by(user: User) -> int:
    """Whoever leaves takes no key along: all that they made in the open workspace; how many."""
    live = ApiKey.objects.filter(created_by=user, revoked_at=None)
    return sum(revoke(key, actor=None) for key in live)


@receiver(member_left, dispatch_uid="keys")
def _end_keys(*, user: User, **_: object) -> None:
    revoke_made_by(user)


def _store(row: ApiKey, sentence: str, action: str, actor: User) -> Minted:
    secret = new_secret(KeyKind(row.kind))
    row.prefix, row.digest = secret[:_SHOWN], digest_of(secret)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            KeyPlace.objects.create(digest=row.digest, workspace_id=current_workspace_id())
            audit.record(action, f"{sentence} ({row.prefix}…)", actor=actor, object_id=row.pk)
            tell_owners(row, actor=actor)
    except IntegrityError as error:
        raise AlreadyMinted from error
    return Minted(row, secret)


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _within(address: str, networks: Iterable[str]) -> bool:
    """Whether the address lies in one of the networks; any address where none is named."""
    allowed = list(networks)
    if not allowed:
        return True
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(network) for network in allowed)
