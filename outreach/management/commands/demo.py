"""The demo's data: made once, through the same functions that the pages call.

`--grants` names a file with what finished consents gave (config/run.py asks the providers for it).
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import clock
from accounts.demo import SIGN_INS
from accounts.models import Membership, Role, User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from mailbox.connecting import connect
from mailbox.models import Mailbox
from mailbox.types import Connection
from outreach import campaigns, groups, holidays, saved_views, to_do
from outreach.contacts import save_contact
from outreach.links import cases, request_text
from outreach.links import importing as link_importing
from outreach.models import (
    Campaign,
    Card,
    Contact,
    GroupKind,
    Project,
    RemovalCase,
    TaskKind,
    Verdict,
    ViewPage,
)
from outreach.models.campaigns import every_day
from outreach.pipeline import compose

DATA = Path(__file__).resolve().parent.parent / "demo"
ADDRESS = "Fernhill Outdoor, 14 Quay Lane, Harwick"

# Subject, file of the body, days after the mail before.
STEPS = (("A map for {{ page_title }}", "first.html", 0), ("", "second.html", 2), ("", "last.html", 3))
# Whom to ask at each site; the simulated recipients act on the words in the local part.
SITE_CONTACTS = {
    "cheap-tents-directory.example": "webmaster.removed@cheap-tents-directory.example",
    "linkhub-networks.example": "sales.paid@linkhub-networks.example",
    "peak-bargains.example": "info.bounce@peak-bargains.example",
    "gear4u.example": "contact.removed@gear4u.example",
    "trailshop-archive.example": "office.ooo@trailshop-archive.example",
    "hillside-news-network.example": "editor.wrong@hillside-news-network.example",
}
VERDICTS = {
    "tarn-and-fell.example": Verdict.KEEP,
    "best-outdoor-gear-reviews-and-coupons-2026.example": Verdict.DISAVOW,
    **dict.fromkeys(SITE_CONTACTS, Verdict.REMOVE),
}


class Command(BaseCommand):
    help = "Make the demo's workspace, mailboxes, campaign and removal project, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--grants", type=Path, help="JSON file: what finished consents gave")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo's data is made only where OUTREACH_DEMO is on.")
        if not User.objects.filter(email=SIGN_INS[0].email).exists():
            grants = json.loads(options["grants"].read_text()) if options["grants"] else []
            with transaction.atomic():
                _make(grants)
        signins = [{"role": who.role, "email": who.email, "password": who.password} for who in SIGN_INS]
        print(json.dumps({"signins": signins}))


def _make(grants: list[dict[str, Any]]) -> None:
    mira, odalys = (_person(who.email, name=who.name, password=who.password) for who in SIGN_INS)
    here = create_workspace(mira, name="Fernhill Outdoor")
    Workspace.objects.filter(pk=here.pk).update(postal_address=ADDRESS, tracks_opens=True)
    Membership.objects.create(workspace=here, user=odalys, role=Role.ADMIN)
    here.refresh_from_db()
    with workspace(here):
        mailboxes = {grant["provider"]: connect(_connection(grant), user=mira) for grant in grants}
        people = _people(mira)
        _groups(mira, people)
        _campaign(mira, people, mailboxes.get("google"))
        _tasks(mira)
        _removal_project(mira, mailboxes.get("microsoft"))
        _rest(mira)


def _person(email: str, *, name: str, password: str) -> User:
    user = User.objects.create_user(email, password, name=name, company="Fernhill Outdoor")
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _connection(grant: dict[str, Any]) -> Connection:
    """A grant as the providers answer it, in the product's own words."""
    google = grant["provider"] == "google"
    return Connection(
        provider=grant["provider"],
        subject=grant["sub"] if google else f"{grant['tid']}.{grant['oid']}",
        address=grant["email"],
        name=grant["name"],
        scopes=tuple(grant["scopes"]),
        secret=grant["refresh_token"] if google else grant["msal_cache"],
        access_token=grant["access_token"],
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=int(grant["expires_in"])),
    )


def _people(actor: User) -> list[Contact]:
    with (DATA / "people.csv").open(newline="", encoding="utf-8") as file:
        return [
            save_contact(
                address=row["email"],
                name=row["name"],
                company=row["company"],
                website=row["website"],
                country=row["country"],
                basis=row["basis"],
                tracking_consent=row["tracking"] or "unknown",
                source="your page lists you as editor",
                fields={name: row[name] for name in ("page_title", "topic") if row[name]},
                actor=actor,
            )
            for row in csv.DictReader(file)
        ]


def _groups(actor: User, people: list[Contact]) -> None:
    """A tag, a list and two views, so that there is something to filter by."""
    huts = groups.make(GroupKind.TAG, "Writes about huts", actor=actor)
    writers = [row.pk for row in people if "hut" in " ".join(row.fields.values()).lower()]
    groups.put(huts, Contact.objects.filter(pk__in=writers), actor=actor)
    spring = groups.make(GroupKind.LIST, "Spring guides", actor=actor)
    groups.put(spring, Contact.objects.filter(pk__in=[row.pk for row in people[:8]]), actor=actor)
    for name, query in (("Hut writers", f"tag={huts.pk}"), ("Not written to yet", "written=never")):
        saved_views.save(ViewPage.CONTACTS, name=name, query=query, is_shared=True, owner=actor)


def _campaign(actor: User, people: list[Contact], mailbox: Mailbox | None) -> Campaign:
    """Ready to be launched at any hour of any day."""
    project = Project.objects.create(name="Trail guides", website="fernhill.example")
    campaign = Campaign.objects.create(
        project=project,
        name="Winter gear round-ups",
        mailbox=mailbox,
        created_by=actor,
        weekdays=every_day(),
        window_start=dt.time(0, 0),
        window_end=dt.time(23, 59, 59),
        observes_holidays=False,
    )
    for position, (subject, file, days) in enumerate(STEPS, start=1):
        body = (DATA / file).read_text(encoding="utf-8")
        campaigns.save_step(campaign, position, subject=subject, body=body, wait_days=days, actor=actor)
    campaigns.add_contacts(campaign, people, actor=actor)
    return campaign


def _tasks(actor: User) -> None:
    """One for today, which Home shows, and one for later that nobody has taken."""
    first, second = Card.objects.order_by("created_at", "id")[:2]
    me, today = Membership.objects.get(user=actor), to_do.today()
    words = "Call the editor about the hut map"
    to_do.add(first, words, kind=TaskKind.CALL, due=today, assignee=me, actor=actor)
    words = "Ask for a word on LinkedIn"
    due = today + dt.timedelta(days=2)
    to_do.add(second, words, kind=TaskKind.LINKEDIN, due=due, assignee=None, actor=actor)


def _rest(actor: User) -> None:
    """The country of the demo's studio; its campaigns do not rest, so that they can be seen on any day."""
    this = clock.now().year
    for year in (this, this + 1):
        holidays.add(holidays.days_of("GB", year), country="GB", actor=actor)


def _removal_project(actor: User, mailbox: Mailbox | None) -> None:
    project = Project.objects.create(name="Backlink clean-up 2026", website="fernhill.example")
    report = link_importing.read((DATA / "links.csv").read_bytes(), filename="links.csv")
    link_importing.store(project, report, actor=actor)
    compose.removal_campaign(project, actor=actor, mailbox=mailbox)
    campaign = request_text.prepare(project, actor=actor)
    Campaign.objects.filter(pk=campaign.pk).update(
        weekdays=every_day(),
        window_start=dt.time(0, 0),
        window_end=dt.time(23, 59, 59),
        observes_holidays=False,
    )
    for case in RemovalCase.objects.filter(project=project).select_related("site"):
        if case.site.domain in VERDICTS:
            cases.set_verdict(case, VERDICTS[case.site.domain], actor=actor)
        if case.site.domain in SITE_CONTACTS:
            cases.set_contact(case, address=SITE_CONTACTS[case.site.domain], actor=actor)
