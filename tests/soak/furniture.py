"""Who sends to whom in a soak: workspaces, mailboxes of both providers, campaigns with a follow-up, faults.

Imported once the world is up: the product's settings are read from its environment.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

from accounts import clock
from accounts.encryption import blind_index, platform_index
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from mailbox.models import Credential, Mailbox, MailboxIdentity
from outreach.models import (
    Basis,
    Campaign,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Project,
    Site,
    Step,
)
from outreach.models.contacts import address_index
from tests.soak.world import World

FIRST = "<p>Hello {{ first_name }}, your page on hut tables names an address that is gone.</p>"
SECOND = "<p>Hello {{ first_name }}, did my first note arrive?</p>"
# What people do, in shares: the sandbox reads the word in their address.
PEOPLE = {"silent": 0.92, "reply": 0.04, "stop": 0.015, "ooo": 0.015, "bounce": 0.01}

# In the doubt window: the answer is lost, or says less than what happened.
DOUBT = (
    {"op": "send", "kind": "accept_then_reset", "p": 0.035},
    {"op": "send", "kind": "error_but_accepted", "p": 0.035},
    {"op": "send", "kind": "truncate", "p": 0.015},
    {"op": "send", "kind": "accept_after", "p": 0.02, "after": 290},
    {"op": "send", "kind": "error_not_accepted", "p": 0.012},
)
OTHER = (
    {"op": "send", "kind": "throttle", "p": 0.008, "retry_after": 20},
    {"op": "send", "kind": "throttle", "p": 0.006},
    {"op": "send", "kind": "auth_lost", "p": 0.01},
    {"op": "send", "kind": "refuse_permanent", "p": 0.004},
    {"op": "draft", "kind": "accept_then_reset", "p": 0.02},
    {"op": "draft", "kind": "error_not_accepted", "p": 0.02},
    {"op": "draft", "kind": "throttle", "p": 0.01, "retry_after": 15},
    {"op": "get", "kind": "accept_then_reset", "p": 0.01},
    {"op": "get", "kind": "error_not_accepted", "p": 0.01},
    {"op": "list", "kind": "error_not_accepted", "p": 0.01},
)


@dataclass
class House:
    """What stands in the world: ids, and for each mailbox its address at the provider."""

    workspaces: list[UUID] = field(default_factory=list)
    owners: dict[UUID, User] = field(default_factory=dict)
    mailboxes: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)  # id → (workspace, address)
    campaigns: dict[UUID, UUID] = field(default_factory=dict)  # id → workspace
    numbers: dict[UUID, int] = field(default_factory=dict)  # of the mailboxes, as they were made
    planned: int = 0


def furnish(
    world: World,
    dice: random.Random,
    *,
    people: int,
    mailboxes: int,
    workspaces: int,
    each: Callable[[int], int] | None = None,
) -> House:
    """So many mailboxes, half at each provider, each with a campaign; the people spread over them.

    `each`: how many silent people a mailbox writes to, by its number, once only; in place of `people`.
    """
    # Tokens and quota units are not what is tried here; both would make the run wait in real time.
    world.ask("settings", token_seconds=10**8, meter=False)
    house = House()
    shares = uneven(people, mailboxes)
    for number in range(workspaces):
        owner = User.objects.create_user(f"owner{number}@soak.example", "soak-soak-soak", name="Owner")
        here = create_workspace(owner, name=f"Soak {number}")
        Workspace.objects.filter(pk=here.pk).update(postal_address="1 Soak Lane, Harwick")
        house.workspaces.append(here.pk)
        house.owners[here.pk] = owner
        with workspace(here):
            project = Project.objects.create(name="Soak", website="soak.example")
            for one in range(number, mailboxes, workspaces):
                provider = ("google", "microsoft")[one // workspaces % 2]
                row = connect(world, here, owner, provider, f"m{one}@{provider}{one}.soak.example")
                house.mailboxes[row.pk] = (here.pk, str(row.address))
                house.numbers[row.pk] = one
                share = each(one) if each else shares[one]
                campaign = campaign_of(project, row, name=f"Soak {one}", follow_up=each is None)
                house.campaigns[campaign.pk] = here.pk
                house.planned += invite(campaign, dice, count=share, name=str(one), silent=each is not None)
    return house


def uneven(people: int, mailboxes: int) -> list[int]:
    """Half of the mailboxes write to three times as many as the others: their caps hold, and none is idle."""
    weights = [3 if number % 4 < 2 else 1 for number in range(mailboxes)]
    ends = [round(people * done / sum(weights)) for done in accumulate(weights, initial=0)]
    return [end - begin for begin, end in pairwise(ends)]


def connect(world: World, here: Workspace, owner: User, provider: str, email: str) -> Mailbox:
    """A mailbox as a finished consent leaves it."""
    given = world.ask("grant", provider=provider, email=email)
    google = provider == "google"
    subject = given["sub"] if google else f"{given['tid']}.{given['oid']}"
    identity = platform_index("mailbox", f"{provider}:{subject}")
    now = clock.now()
    row = Mailbox(
        owner=owner, provider=provider, identity=identity, subject=subject, address=email,
        address_index=blind_index(here.pk, "address", email), display_name="Soak", connected_at=now,
        daily_cap=10**6,
    )  # fmt: skip
    row.save()
    MailboxIdentity.objects.update_or_create(
        pk=identity, defaults={"consumer": False, "live_in": here, "live_mailbox": row.pk}
    )
    Credential.objects.create(
        mailbox=row,
        generation=row.generation,
        secret=given["refresh_token"] if google else given["msal_cache"],
        access_token=given["access_token"],
        access_expires_at=now + dt.timedelta(seconds=given["expires_in"]),
    )
    return row


def campaign_of(project: Project, mailbox: Mailbox, *, name: str, follow_up: bool = True) -> Campaign:
    campaign: Campaign = Campaign.objects.create(
        project=project,
        mailbox=mailbox,
        name=name,
        state=CampaignState.RUNNING,
        window_start=dt.time(0, 0),
        window_end=dt.time(0, 0),
        weekdays=[0, 1, 2, 3, 4, 5, 6],
    )
    Step.objects.create(campaign=campaign, position=1, subject="Your hut table", body=FIRST)
    if follow_up:
        Step.objects.create(campaign=campaign, position=2, subject="", body=SECOND, wait_days=1)
    return campaign


def invite(campaign: Campaign, dice: random.Random, *, count: int, name: str, silent: bool = False) -> int:
    """So many people with their first mails planned, as a launch leaves them; how many."""
    site, _ = Site.objects.get_or_create(domain=f"hut{name}.example")
    step = campaign.steps.get(position=1)
    now = clock.now()
    for begin in range(0, count, 500):
        contacts = []
        for number in range(begin, min(begin + 500, count)):
            word = "silent" if silent else dice.choices(list(PEOPLE), list(PEOPLE.values()))[0]
            address = f"p{number}.{word}@{site.domain}"
            contacts.append(
                Contact(
                    site=site, address=address, address_index=address_index(address), name="Ana Berg",
                    first_name="Ana", country="US", basis=Basis.CONSENT, source="soak",
                )
            )  # fmt: skip
        Contact.objects.bulk_create(contacts)
        enrollments = [
            Enrollment(campaign=campaign, contact=one, state=EnrollmentState.RUNNING) for one in contacts
        ]
        Enrollment.objects.bulk_create(enrollments)
        rows: list[Any] = [
            Message(
                kind=MessageKind.FIRST, state=MessageState.PLANNED, project=campaign.project,
                campaign=campaign, step=step, enrollment=one, contact=one.contact, mailbox=campaign.mailbox,
                due_at=now,
            )
            for one in enrollments
        ]  # fmt: skip
        Message.objects.bulk_create(rows)
    return count


def plant_faults(world: World) -> None:
    """For the whole run, drawn anew at each call."""
    world.ask("settings", profile="hostile")
    for fault in (*DOUBT, *OTHER):
        world.ask("faults", mailbox="*", times=0, **fault)
