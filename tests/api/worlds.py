"""The two workspaces of the fuzz, and everybody who comes to them."""

from __future__ import annotations

import datetime as dt
import itertools

from accounts import clock, keys
from accounts.keys import Scope
from accounts.models import KeyKind, Membership, Role, User, Workspace
from accounts.tenancy import workspace
from outreach.models import CampaignState
from tests import factories
from tests.api.fuzzing import Visitor, World
from tests.api.keys import basic, bearer, in_session, make_key, owner_of

WORDS = {"a": "kingfisher", "b": "heronsgate"}


def make_world(first: Workspace, second: Workspace, viewer: User) -> World:
    """Each workspace full of its own word; keys of every set of scopes, and ones that do not work."""
    homes = {"a": first, "b": second}
    return World(
        words=WORDS,
        ids={home: _fill(here, WORDS[home]) for home, here in homes.items()},
        visitors=[
            *itertools.chain(*(_visitors(home, here) for home, here in homes.items())),
            _session("a", first, owner_of(first)),
            _session("a", first, viewer),
            Visitor("nobody", {}, "", works=False),
            Visitor("a made-up key", bearer(keys.new_secret(KeyKind.KEY)), "", works=False),
        ],
    )


def _fill(here: Workspace, word: str) -> dict[str, str]:
    Workspace.objects.filter(pk=here.pk).update(name=f"The {word}", postal_address=f"1 {word} Lane")
    here.refresh_from_db()
    with workspace(here):
        project = factories.make_project(f"Project {word}", website=f"{word}.example")
        mailbox = factories.make_mailbox(address=f"mira@{word}.example", display_name=f"Mira {word}")
        person = factories.make_contact(f"ana@{word}.example", name=f"Ana {word}", company=f"{word} Ltd")
        campaign = factories.make_campaign(
            project=project, mailbox=mailbox, name=f"Campaign {word}", contacts=[person]
        )
        running = factories.make_campaign(
            project=project, mailbox=mailbox, name=f"Runs {word}", state=CampaignState.RUNNING
        )
        enrollment = factories.make_enrollment(running, person)
        message = factories.make_message(enrollment)
        group = factories.make_group(f"Tag {word}", people=[person])
        listed = factories.make_import(f"ben@{word}.example", filename=f"{word}.csv")
        text = factories.make_text(f"Text {word}", folder=word, subject=f"About {word}")
        for number in range(3):
            factories.make_contact(f"more{number}@{word}.example", name=f"More {word}")
    rows = {
        "project": project, "mailbox": mailbox, "contact": person, "campaign": campaign,
        "running": running, "message": message, "text": text, "group": group, "person": enrollment,
        "import": listed,
    }  # fmt: skip
    return {"workspace": here.sid, **{kind: str(row.pk) for kind, row in rows.items()}}


def _visitors(home: str, here: Workspace) -> list[Visitor]:
    found = []
    for size in range(len(Scope.values) + 1):
        for scopes in itertools.combinations(Scope.values, size):
            secret = make_key(here, scopes).secret
            name = f"a key of {home} with {'+'.join(scopes) or 'nothing'}"
            found.append(Visitor(name, bearer(secret), home, frozenset(scopes)))
    every = frozenset(Scope.values)
    found.append(Visitor(f"Basic of {home}", basic(here.sid, make_key(here).secret), home, every))
    gone = make_key(here)
    with workspace(here):
        keys.revoke(gone.key, actor=owner_of(here))
    expired = make_key(here, expires_at=clock.now() - dt.timedelta(seconds=1))
    elsewhere = make_key(here, networks=["203.0.113.0/24"])
    for words, minted in (("revoked", gone), ("expired", expired), ("used elsewhere", elsewhere)):
        found.append(Visitor(f"a key of {home}, {words}", bearer(minted.secret), home, every, works=False))
    return found


def _session(home: str, here: Workspace, person: User) -> Visitor:
    """A browser without a page's token: it may look, and changes nothing (threats T32)."""
    cookies = {name: morsel.value for name, morsel in in_session(person, here).cookies.items()}
    role = Membership.objects.get(workspace=here, user=person).role
    name = f"a session of {home}, {Role(role).label}"
    return Visitor(
        name,
        {"X-Workspace": here.sid},
        home,
        frozenset({"read"}),
        views_only=role == Role.VIEWER,
        cookies=cookies,
    )
