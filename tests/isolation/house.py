"""One workspace full of rows, each with a word that must turn up nowhere else, and somebody else's beside it.

An area's `ROWS` (tests/isolation/areas) says which row fills an argument of which address, its `sent` what a
form posts there. An address with an argument that is not named there fails the tests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import clock, keys
from accounts.membership import invitations
from accounts.models import Membership, Role, User, Workspace
from accounts.tenancy import WorkspaceModel, uuid7, workspace
from mailbox.models import Receipt
from outreach.models import (
    Backlink,
    CampaignKind,
    CampaignState,
    Card,
    EnrollmentState,
    MessageState,
    Note,
    RemovalCase,
    Task,
    Verdict,
)
from outreach.models.links import url_key
from tests import factories
from tests.isolation.addresses import Address
from tests.isolation.areas import AREAS
from tests.isolation.words import WORD, deep
from tests.roles import as_owner

Rows = dict[str, Any]


def fill(owner: User, word: str = WORD) -> Rows:
    """Rows of every kind that an address can name. The workspace must be open."""
    inner = deep(word)
    project = factories.make_project(f"Project {inner}", website=f"{inner}.example")
    mailbox = factories.make_mailbox(address=f"mira@{word}.example", owner=owner)
    person = factories.make_contact(f"ana@{word}-site.example", name=f"Ana {word}", company=f"{word} Ltd")
    assert person.site is not None
    draft = factories.make_campaign(
        project=project,
        mailbox=mailbox,
        name=f"Draft {inner}",
        steps=(factories.FIRST_MAIL, factories.FOLLOW_UP),
    )
    enrollment = factories.make_enrollment(draft, person)
    edit = factories.make_hand_edit(enrollment, subject=f"For Ana {inner}", body=f"<p>Dear {inner}</p>")
    running = factories.make_campaign(
        project=project, mailbox=mailbox, name=f"Runs {inner}", state=CampaignState.RUNNING
    )
    asked = factories.make_enrollment(running, person, state=EnrollmentState.REPLIED)
    sent = factories.make_message(asked, state=MessageState.SENT, text=f"Hello {inner}")
    reply = factories.make_reply(sent, text=f"Yes {inner}", html=f"<p>{inner}</p>")
    answer = factories.make_answer(sent, text=f"Here {inner}")
    doubtful = factories.make_message(
        factories.make_enrollment(running, state=EnrollmentState.RUNNING), state=MessageState.DOUBT
    )
    factories.make_campaign(
        project=project,
        mailbox=mailbox,
        kind=CampaignKind.REMOVAL,
        state=CampaignState.RUNNING,
        name=f"Requests {inner}",
    )
    case = RemovalCase.objects.create(
        project=project, site=person.site, contact=person, verdict=Verdict.REMOVE
    )
    pages = (f"https://{word}-site.example/1", f"https://{inner}.example/")
    link = Backlink.objects.create(
        project=project, case=case, source_url=pages[0], target_url=pages[1], key=url_key(*pages)
    )
    receipt = Receipt.objects.create(
        mailbox=mailbox, provider=mailbox.provider, address=mailbox.address, actor=owner
    )
    key = keys.mint(name=f"Key {word}", scopes=["read"], actor=owner, pk=uuid7()).key
    guest = User.objects.create_user(f"guest-{key.pk.hex}@{word}.example", name=f"Gwen {word}")
    me = Membership.objects.get(user=owner, workspace=key.workspace_id)
    card = Card.objects.get(project=project, site=person.site)
    return {
        "key": key,
        "membership": Membership.objects.create(workspace=me.workspace, user=guest, role=Role.MEMBER),
        "invitation": invitations.invite(
            f"invited@{word}.example", role=Role.VIEWER, limited_to=[project.pk], actor=me
        ),
        "project": project,
        "mailbox": mailbox,
        "contact": person,
        "site": person.site,
        "card": card,
        "task": Task.objects.create(card=card, title=f"Call {inner}", due=clock.now().date(), assignee=me),
        "draft": draft,
        "running": running,
        "enrollment": enrollment,
        "hand_edit": edit,
        "thread": sent.thread,
        "reply": reply,
        "mine": me,
        "note": Note.objects.create(thread=reply.thread, mailbox=mailbox, author=owner, text=f"Psst {inner}"),
        "message": doubtful,
        "attachment": factories.make_attachment(answer, name=f"{inner}.pdf", content=inner.encode()),
        "suggestion": factories.make_suggestion(sent, subject=f"About {inner}"),
        "case": case,
        "link": link,
        "receipt": receipt,
        "import": factories.make_import(f"ben@{word}.example", filename=f"{word}.csv", actor=owner),
        "suppression": factories.make_suppression(f"no@{word}.example"),
        "view": factories.make_view(owner, f"View {word}", is_shared=True),
        "group": factories.make_group(f"Tag {word}", people=[person]),
        "other_group": factories.make_group(f"Other tag {word}"),
        "holiday": factories.make_holiday(f"Day of {word}"),
        "text": factories.make_text(f"Text {word}", subject=f"About {word}", body=f"<p>Hello {word}</p>"),
    }


# (beginning of the address's name, argument) → the row, or a plain value.
ROWS: dict[tuple[str, str], str] = {
    **{argument: row for area in AREAS for argument, row in area.ROWS.items()},
    ("join", "place"): "=WSnobody",
    ("join", "token"): "=nobody-has-mailed-this",
    ("tracking:", "token"): "=nobody-has-minted-this",
    ("account_", "key"): "=nobody-has-mailed-this",
    ("account_", "uidb36"): "=1",
    ("social_", "provider"): "=google",
    ("mfa_", "pk"): "=1",
    ("planted-", "pk"): "contact",
}


def sent(rows: Rows, word: str = WORD) -> dict[str, dict[str, Any]]:
    """What a form posts to an address; one that is not named gets no fields, which its view must bear."""
    ids = {name: str(row.pk) for name, row in rows.items()}
    return {
        **{address: form for area in AREAS for address, form in area.sent(ids, word).items()},
        "planted-adopts": {"site": ids["site"]},
    }


@dataclass(frozen=True)
class House:
    """The full workspace, and how to come to it."""

    here: Workspace
    rows: Rows
    signed_in: Callable[[User], Client]
    word: str = WORD

    def arguments(self, address: Address, instead: Mapping[str, str] = {}) -> dict[str, Any]:
        """A value for each argument. Raises LookupError where none is registered."""
        found = {}
        for argument in address.arguments:
            if argument in instead:
                found[argument] = self.rows[instead[argument]].pk
                continue
            names = [key for key in ROWS if key[1] == argument and address.name.startswith(key[0])]
            if not names:
                raise LookupError(f"{address.name}: no row is registered for <{argument}>")
            value = ROWS[max(names, key=lambda key: len(key[0]))]
            found[argument] = value[1:] if value.startswith("=") else self._named(value)
        return found

    def _named(self, value: str) -> Any:
        """A row's id; "workspace" is named by its SID."""
        return self.here.sid if value == "workspace" else self.rows[value].pk

    def url(self, address: Address, slug: str = "", *, instead: Mapping[str, str] = {}) -> str:
        arguments = self.arguments(address, instead)
        return reverse(address.name, kwargs={"slug": slug or self.here.slug, **arguments})

    def path(self, address: Address) -> str:
        """Of an address outside every workspace."""
        return reverse(address.name, kwargs=self.arguments(address))

    def fields(self, address: Address) -> dict[str, Any]:
        return sent(self.rows, self.word).get(address.name, {})


def furnished(here: Workspace, owner: User, signed_in: Callable[[User], Client], word: str = WORD) -> House:
    with workspace(here):
        return House(here, fill(owner, word), signed_in, word)


def tenant_models() -> list[type[WorkspaceModel]]:
    return [model for model in apps.get_models() if issubclass(model, WorkspaceModel)]


def print_of(here: Workspace) -> dict[str, str]:
    """Table → a hash of all its rows of this workspace."""
    one = (
        "SELECT '{0}', md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t.id), '')) FROM \"{0}\" t WHERE {1}"
    )
    tables = [(model._meta.db_table, "workspace_id = %s") for model in tenant_models()]
    tables += [("accounts_membership", "workspace_id = %s"), ("accounts_workspace", "id = %s")]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(*table) for table in tables), [here.pk] * len(tables))
        return dict(cursor.fetchall())


def moved(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(table for table in before if before[table] != after[table])


@functools.cache
def _crossing_query() -> str:
    parts = []
    for model in tenant_models():
        for field in model._meta.concrete_fields:
            to = field.related_model
            if isinstance(to, type) and issubclass(to, WorkspaceModel):
                parts.append(
                    f"SELECT '{model.__name__}.{field.name}' "  # noqa: S608
                    f'FROM "{model._meta.db_table}" a JOIN "{to._meta.db_table}" b '
                    f'ON a."{field.column}" = b.id WHERE a.workspace_id <> b.workspace_id'
                )
    return " UNION ".join(parts)


def crossings() -> list[str]:
    """References from a row of one workspace to a row of another: there must be none, ever."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(_crossing_query())
        return sorted(row[0] for row in cursor.fetchall())
