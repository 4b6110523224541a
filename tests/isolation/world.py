"""Two furnished workspaces and everybody who may come to them: what the matrix is run in."""

from __future__ import annotations

import base64
import copy
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from http.cookies import SimpleCookie

from allauth.mfa.models import Authenticator
from django.db import DEFAULT_DB_ALIAS, transaction
from django.test import Client, override_settings

from accounts import clock
from accounts.clock import Now
from accounts.encryption import forget_keys
from accounts.keyring.keystore import KEYSTORE
from accounts.keys import new_secret
from accounts.models import ApiKey, KeyKind, Membership, Role, SignIn, User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from mailbox.models import Replies
from outreach.models import (
    CampaignState,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Note,
    Project,
    ProjectAccess,
    Thread,
)
from tests import factories
from tests.api.keys import bearer, make_key
from tests.isolation.canaries import plant
from tests.isolation.house import House, furnished, print_of
from tests.isolation.words import deep, hush
from tests.proofs import prove

OURS, THEIRS = "kingfisher", "waxwing"
# What only our owner sees, in no workspace: a browser they have signed in with.
MINE = "Nightjar browser"
PASSWORD = "correct-horse-battery"
ANOTHER = "Another project"


class Visitor(Enum):
    ANONYMOUS = "anonymous"
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    ELSEWHERE = "member of another project"
    VIEWER = "viewer"
    EX_MEMBER = "ex-member"
    STRANGER = "stranger"
    STAFF = "staff"
    NO_SCOPE = "key without a scope"
    READS = "key: read"
    ADDS = "key: contacts:write"
    LAUNCHES = "key: campaigns:launch"
    WRITES = "key: library:write"
    COMPOSES = "key: campaigns:write"
    FOREIGN_KEY = "key of another workspace"
    REVOKED = "revoked key"
    EXPIRED = "key that has run out"
    FAR_AWAY = "key for other networks"
    ORPHAN = "key of somebody who has left"
    GUESSED = "key that nobody has minted"
    NO_KEY = "text that is no key"
    DIGEST = "credential of another kind"
    GARBLED = "garbled credential"
    NAMELESS = "credential without a name"

    @property
    def role(self) -> Role | None:
        """In our workspace; None for who has none."""
        return ROLES.get(self)

    @property
    def is_key(self) -> bool:
        return self in SCOPES

    @property
    def is_theirs(self) -> bool:
        """Belongs to the other workspace, with every right there."""
        return self in (Visitor.STRANGER, Visitor.FOREIGN_KEY)


ROLES = {
    Visitor.OWNER: Role.OWNER,
    Visitor.ADMIN: Role.ADMIN,
    Visitor.MEMBER: Role.MEMBER,
    Visitor.ELSEWHERE: Role.MEMBER,
    Visitor.VIEWER: Role.VIEWER,
}
_EVERY = ("read", "contacts:write", "campaigns:write", "campaigns:launch", "library:write")
# A test holds that no scope of the product is missing here.
SCOPES: dict[Visitor, tuple[str, ...]] = {
    Visitor.NO_SCOPE: (),
    Visitor.READS: ("read",),
    Visitor.ADDS: ("contacts:write",),
    Visitor.LAUNCHES: ("campaigns:launch",),
    Visitor.WRITES: ("library:write",),
    Visitor.COMPOSES: ("campaigns:write",),
    **dict.fromkeys(
        (Visitor.FOREIGN_KEY, Visitor.REVOKED, Visitor.EXPIRED, Visitor.FAR_AWAY, Visitor.ORPHAN), _EVERY
    ),
    **dict.fromkeys((Visitor.GUESSED, Visitor.NO_KEY, Visitor.DIGEST, Visitor.GARBLED, Visitor.NAMELESS), ()),
}
# Nothing that these send opens anything.
DEAD = {
    Visitor.REVOKED, Visitor.EXPIRED, Visitor.FAR_AWAY, Visitor.ORPHAN, Visitor.GUESSED, Visitor.NO_KEY,
    Visitor.DIGEST, Visitor.GARBLED, Visitor.NAMELESS,
}  # fmt: skip


@dataclass
class World:
    """`ours` is visited; `theirs` is the stranger's own. `keys` are secrets, ready to be sent."""

    ours: House
    theirs: House
    people: dict[Visitor, User]
    keys: dict[Visitor, str]
    clients: dict[Visitor, tuple[Client, SimpleCookie]] = field(default_factory=dict)

    @cached_property
    def prints(self) -> tuple[dict[str, str], dict[str, str]]:
        """Both workspaces as they stand: every cell is rolled back, so they are looked at once."""
        return print_of(self.ours.here), print_of(self.theirs.here)

    @contextmanager
    def inside(self, house: House) -> Iterator[None]:
        with workspace(house.here):
            yield

    @cached_property
    def addresses(self) -> tuple[set[str], set[str]]:
        """Of people who are only in our workspace, and only in theirs."""
        found = [
            set(Membership.objects.filter(workspace=house.here).values_list("user__email", flat=True))
            for house in (self.ours, self.theirs)
        ]
        return found[0] - found[1], found[1] - found[0]

    def client(self, visitor: Visitor) -> Client:
        """This visitor's browser as it was after the sign-in, whatever it has met since."""
        if visitor not in self.clients:
            user = self.people.get(visitor)
            key = self.keys.get(visitor)
            sent = {"Authorization": key} if key and " " in key else bearer(key) if key else None
            client = sign_in(user) if user else Client(headers=sent)
            client.raise_request_exception = False
            self.clients[visitor] = client, copy.deepcopy(client.cookies)
        client, cookies = self.clients[visitor]
        client.cookies = copy.deepcopy(cookies)
        return client


def sign_in(user: User) -> Client:
    """A browser in which this person has just proved who they are."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    prove(client, user)
    return client


@contextmanager
def kept() -> Iterator[World]:
    """The world for a whole module of tests, and nothing of it afterwards."""
    # The sign-in counts as a proof for as long as the cells take.
    with (
        override_settings(REAUTHENTICATION_SECONDS=86_400),
        transaction.atomic(),
        transaction.atomic(using=KEYSTORE),
    ):
        world = build()
        for visitor in Visitor:
            world.client(visitor)  # a sign-in inside a test would be gone after it
        yield world
        for alias in (DEFAULT_DB_ALIAS, KEYSTORE):
            transaction.set_rollback(True, using=alias)
    forget_keys()


def build() -> World:
    nobody = {Visitor.ANONYMOUS, *SCOPES}
    people = {visitor: _person(visitor) for visitor in Visitor if visitor not in nobody}
    people[Visitor.STAFF].is_staff = True
    people[Visitor.STAFF].save()
    here = create_workspace(people[Visitor.OWNER], name=f"Studio {OURS}")
    there = create_workspace(people[Visitor.STRANGER], name=f"Elsewhere {THEIRS}")
    for row, word, slug in ((here, OURS, "ours"), (there, THEIRS, "theirs")):
        # A slug is said to whoever asks: it stands in the address.
        Workspace.objects.filter(pk=row.pk).update(
            slug=slug, name=f"Workspace {word}", postal_address=f"{word}, 14 Quay Lane, Harwick"
        )
        row.refresh_from_db()
    for visitor, role in ROLES.items():
        if visitor is not Visitor.OWNER:
            Membership.objects.create(workspace=here, user=people[visitor], role=role)
    with workspace(here):
        Membership.objects.create(workspace=here, user=people[Visitor.EX_MEMBER], role=Role.ADMIN).delete()
    ours = furnished(here, people[Visitor.OWNER], sign_in, OURS)
    theirs = furnished(there, people[Visitor.STRANGER], sign_in, THEIRS)
    for house in (ours, theirs):
        plant(house)
    _send_elsewhere(here, people[Visitor.ELSEWHERE])
    _keep_private(ours, people[Visitor.MEMBER])
    keys = {
        visitor: make_key(there if visitor.is_theirs else here, scopes).secret
        for visitor, scopes in SCOPES.items()
        if visitor not in DEAD
    }
    for visitor in (Visitor.ADMIN, Visitor.VIEWER):
        ours.rows[visitor.value] = Membership.objects.get(workspace=here, user=people[visitor])
    keys |= _dead_keys(here)
    SignIn.objects.create(user=people[Visitor.OWNER], device=MINE, method="password")
    Authenticator.objects.create(
        user=people[Visitor.OWNER], type=Authenticator.Type.TOTP, data={"secret": MINE}
    )
    with workspace(here):
        ours.rows["viewers"] = factories.make_mailbox(
            address=f"viewer@{OURS}.example", owner=people[Visitor.VIEWER]
        )
    # One of two owners: that a last one stays is another rule.
    second = User.objects.create_user("second@people.example", PASSWORD)
    ours.rows["boss"] = Membership.objects.create(workspace=here, user=second, role=Role.OWNER)
    return World(ours, theirs, people, keys)


def _send_elsewhere(here: Workspace, user: User) -> None:
    """This member sees one project, and not the one that holds everything."""
    with workspace(here):
        project = Project.objects.create(name=ANOTHER, website="another.example")
        membership = Membership.objects.get(workspace=here, user=user)
        Membership.objects.filter(pk=membership.pk).update(all_projects=False)
        ProjectAccess.objects.create(project=project, membership=membership)


def _dead_keys(here: Workspace) -> dict[Visitor, str]:
    """Keys that were good and are no more."""
    gone = User.objects.create_user("gone@people.example", PASSWORD)
    create_workspace(gone, name="Gone on")  # where they are an owner: that is no place here
    with workspace(here):
        place = Membership.objects.create(workspace=here, user=gone, role=Role.ADMIN)
        made = {
            Visitor.REVOKED: make_key(here),
            Visitor.EXPIRED: make_key(here),
            Visitor.FAR_AWAY: make_key(here, networks=["203.0.113.0/24"]),
            Visitor.ORPHAN: make_key(here, actor=gone),
        }
        place.delete()
        past = clock.now() - dt.timedelta(hours=1)
        ApiKey.objects.filter(pk=made[Visitor.REVOKED].key.pk).update(revoked_at=past)
        ApiKey.objects.filter(pk=made[Visitor.EXPIRED].key.pk).update(expires_at=past)
    good = made[Visitor.REVOKED].secret
    return {
        **{visitor: minted.secret for visitor, minted in made.items()},
        Visitor.GUESSED: new_secret(KeyKind.KEY),
        Visitor.NO_KEY: "letmein",
        Visitor.DIGEST: f"Digest {good}",
        Visitor.GARBLED: "Basic !!!",
        Visitor.NAMELESS: "Basic " + base64.b64encode(good.encode()).decode(),
    }


def _keep_private(ours: House, user: User) -> None:
    """What comes back to this member's mailbox is for nobody else, owners and keys included."""
    inner = deep(ours.word)
    with workspace(ours.here):
        mailbox = factories.make_mailbox(
            address=f"quiet@{ours.word}.example", owner=user, replies=Replies.PRIVATE
        )
        campaign = factories.make_campaign(
            project=ours.rows["project"],
            mailbox=mailbox,
            name=f"Quiet {inner}",
            state=CampaignState.RUNNING,
            steps=(factories.FIRST_MAIL, factories.FOLLOW_UP),
        )
        sent = factories.make_message(
            factories.make_enrollment(campaign, state=EnrollmentState.REPLIED),
            state=MessageState.SENT,
            text=f"Hello {inner}",
        )
        words = hush(ours.word)
        reply = factories.make_reply(sent, text=words, html=f"<p>{words}</p>", subject=f"Re: {words}")
        Thread.objects.filter(campaign=campaign).update(waits_since=Now())
        note = Note.objects.create(thread=reply.thread, mailbox=mailbox, author=user, text=words)
        # Our part of the conversation is as private.
        answer = factories.make_message(sent.enrollment, position=2, state=MessageState.SENT, text=words)
        Message.objects.filter(pk=answer.pk).update(kind=MessageKind.ANSWER)
        ours.rows.update(quiet=mailbox, quiet_thread=sent.thread, quiet_reply=reply, quiet_note=note)


def _person(visitor: Visitor) -> User:
    from allauth.account.models import EmailAddress

    name = visitor.name.lower().replace("_", "-")
    user = User.objects.create_user(f"{name}@people.example", PASSWORD, name=name.title())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
