"""The world that `benchmarks/send.py` sends in: servers, mailboxes at the sandbox, and mails that are due."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import embedded
from config.processes import MARK, Child
from config.run import Run

if TYPE_CHECKING:
    from accounts.models import Workspace
    from mailbox.models import Mailbox

# Spacing, caps and the providers' own limits are off: what is measured is the pipeline (decisions 11).
PACE = {
    "SEND_SPACING_SECONDS": "0",
    "SEND_SPACING_JITTER": "0",
    "DAILY_CAP": "1000000",
    "DAILY_CAP_START": "1000000",
    "DAILY_CAP_HARD": "1000000",
    "DAILY_CAP_CONSUMER": "1000000",
    "GMAIL_PROJECT_UNITS": "0",
    "GMAIL_USER_UNITS": "1000000000",
    "GRAPH_MAILS_A_MINUTE": "1000000",
    "HTTP_DEADLINE_SECONDS": "30",
    "WORKER_HARD_LIMIT_SECONDS": "60",
    "LEASE_SECONDS": "120",
    "SETTLE_SECONDS": "900",
    "LOG_LEVEL": "WARNING",
}
CELERY = ("-m", "celery", "-A", "config.celery")
TEXT = "<p>Hello {{ first_name }}, your page on hut tables names an address that is gone.</p>" + (
    "<p>We keep a list of huts with their opening times, checked each spring by the people who run them.</p>"
    * 24
)


class World(Run):
    """PostgreSQL, Redis and the sandbox; the environment of this process is the product's afterwards."""

    def up(self) -> None:
        self.claim_folder(reset=True)
        ports = self.choose_ports(18_450)
        url, self.redis_server = embedded.start_redis(self.logs)
        self.env = self.environment(ports) | PACE | {"REDIS_URL": url}
        self.sandbox_port = ports["sandbox"]
        sandbox = self.spawn("sandbox", "-m", "mailbox.sandbox", DEBUG="true", SANDBOX_PACE="1000000")
        owners, products = self.databases()
        self.env |= products | {"BENCH_OWNER_URL": owners["DATABASE_URL"]}
        for name in ("default", "keystore"):
            self.spawn(f"migrate-{name}", "manage.py", "migrate", "--database", name, **owners).finish(
                seconds=120
            )
        self.wait_for(sandbox, ports["sandbox"])
        self.wait_for(sandbox, ports["sandbox_tls"])
        os.environ.update({name: value for name, value in self.env.items() if name != MARK})

    def ask(self, act: str, **wish: Any) -> Any:
        """The sandbox's control API."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=60)
        try:
            connection.request("POST", f"/_sandbox/{act}", json.dumps(wish))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stop(self) -> None:
        super().stop()
        if hasattr(self, "redis_server"):
            embedded.stop_redis(self.redis_server)


def start_workers(world: World, word: str, *, concurrency: int) -> list[Child]:
    """Two worker processes as in production, so many tasks at a time in each; they need a moment to load."""
    return [
        world.spawn(f"worker-{word}-{number}", *CELERY, "worker", "-P", "threads", "-c", str(concurrency),
                    "-l", "WARNING", "--without-gossip", "--without-mingle", "-n", f"w{number}@%h")
        for number in range(2)
    ]  # fmt: skip


def start_beat(world: World, word: str) -> Child:
    return world.spawn(f"beat-{word}", *CELERY, "beat", "-l", "WARNING", "--pidfile", "")


def resident(pid: int) -> int:
    """Bytes in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def furnish(world: World, *, workspaces: int, mailboxes: int) -> list[tuple[Workspace, Mailbox]]:
    """So many mailboxes, half at each provider, spread over the workspaces; each with a running campaign."""
    from accounts.models import User
    from accounts.tenancy import workspace
    from accounts.workspaces import create_workspace

    world.ask("settings", meter=False, concurrency=10**6)
    made = []
    for number in range(workspaces):
        owner = User.objects.create_user(f"owner{number}@bench.example", "bench-bench-bench", name="Owner")
        here = create_workspace(owner, name=f"Bench {number}")
        here.postal_address = "1 Bench Lane, Harwick"
        here.save()
        with workspace(here):
            for one in range(number, mailboxes, workspaces):
                provider = "google" if one % 2 else "microsoft"
                made.append((here, _mailbox(world, here, owner, provider, f"m{one}@bench{one % 2}.example")))
    return made


def _mailbox(world: World, here: Workspace, owner: Any, provider: str, email: str) -> Mailbox:
    from accounts import clock
    from accounts.encryption import blind_index, platform_index
    from mailbox.models import Credential, Mailbox, MailboxIdentity

    world.ask("accounts", provider=provider, email=email)
    given = world.ask("grant", provider=provider, email=email)
    google = provider == "google"
    subject = given["sub"] if google else f"{given['tid']}.{given['oid']}"
    identity = platform_index("mailbox", f"{provider}:{subject}")
    MailboxIdentity.objects.get_or_create(pk=identity, defaults={"consumer": False})
    row = Mailbox.objects.create(
        owner=owner,
        provider=provider,
        identity=identity,
        subject=subject,
        address=email,
        address_index=blind_index(here.pk, "address", email),
        display_name="Bench",
        connected_at=clock.now(),
        next_poll_at=clock.now() + dt.timedelta(hours=12),  # looking for replies is not what is measured
        daily_cap=1_000_000,
    )
    Credential.objects.create(
        mailbox=row,
        generation=row.generation,
        secret=given["refresh_token"] if google else given["msal_cache"],
        access_token=given["access_token"],
        access_expires_at=clock.now() + dt.timedelta(hours=12),
    )
    return row


def fill(
    mailboxes: list[tuple[Workspace, Mailbox]], *, mails: int, word: str = "a", state: str = "queued"
) -> int:
    """So many due first mails, spread over the mailboxes, each queued as the queue stage leaves it.

    With another `state` no worker sends them.
    """
    from accounts.tenancy import workspace
    from outreach.models import Campaign, CampaignState, Project, Step

    each = max(mails // len(mailboxes), 1)
    for number, (here, mailbox) in enumerate(mailboxes):
        with workspace(here):
            project, _ = Project.objects.get_or_create(website="bench.example", defaults={"name": "Bench"})
            campaign = Campaign.objects.create(
                project=project,
                mailbox=mailbox,
                name=f"Bench {word} {number}",
                state=CampaignState.RUNNING,
                window_start=dt.time(0, 0),
                window_end=dt.time(0, 0),
                weekdays=[0, 1, 2, 3, 4, 5, 6],
            )
            step = Step.objects.create(campaign=campaign, position=1, subject="Your hut table", body=TEXT)
            _people(here, mailbox, campaign, step, count=each, name=f"{word}{number}", state=state)
    return each * len(mailboxes)


def _people(here: Any, mailbox: Any, campaign: Any, step: Any, *, count: int, name: str, state: str) -> None:
    from accounts import clock
    from outreach import conversation, rendering
    from outreach.models import (
        Basis,
        Contact,
        Enrollment,
        EnrollmentState,
        Message,
        MessageKind,
        Site,
        Thread,
    )  # fmt: skip
    from outreach.models.contacts import address_index

    site, _ = Site.objects.get_or_create(domain="hut.invalid")
    contacts = []
    for number in range(count):
        address = f"p{number}.{name}@hut.invalid"
        contacts.append(
            Contact(
                workspace=here, site=site, address=address, address_index=address_index(address),
                name="Ana Berg", country="US", basis=Basis.CONSENT, source="bench",
            )
        )  # fmt: skip
    Contact.objects.bulk_create(contacts)
    enrollments = Enrollment.objects.bulk_create(
        [Enrollment(workspace=here, campaign=campaign, contact=one, state=EnrollmentState.RUNNING)
         for one in contacts]
    )  # fmt: skip
    threads = Thread.objects.bulk_create(
        [Thread(workspace=here, project=campaign.project, campaign=campaign, enrollment=one,
                contact=one.contact, mailbox=mailbox, subject="Your hut table") for one in enrollments]
    )  # fmt: skip
    now = clock.now()
    rows = []
    for thread in threads:
        row = Message(
            workspace=here, kind=MessageKind.FIRST, state=state, project=campaign.project,
            campaign=campaign, step=step, enrollment=thread.enrollment, contact=thread.contact,
            mailbox=mailbox, thread=thread, generation=mailbox.generation, due_at=now, queued_at=now,
            to_address=thread.contact.address, to_index=thread.contact.address_index, to_name="Ana Berg",
        )  # fmt: skip
        mail = rendering.render_step(step, thread.contact, mailbox=mailbox, campaign=campaign, key=row.pk)
        row.subject, row.text, row.html = mail.subject, mail.text, mail.html
        row.headers = conversation.pack_headers(mail.headers)
        row.content_hash = rendering.content_hash(mail.subject, mail.text, mail.html)
        rows.append(row)
    Message.objects.bulk_create(rows)


def in_state(state: str) -> int:
    from accounts.tenancy import every_workspace
    from outreach.models import Message

    return sum(Message.objects.filter(state=state).count() for _ in every_workspace("count the mails sent"))


def took(word: str) -> float:
    """Seconds from the first to the last mail of the campaigns that `fill` made with this word."""
    from django.db.models import Max, Min

    from accounts.tenancy import every_workspace
    from outreach.models import Message

    times = [
        Message.objects.filter(campaign__name__startswith=f"Bench {word} ").aggregate(
            first=Min("attempted_at"), last=Max("sent_at")
        )
        for _ in every_workspace("see when the mails left")
    ]
    first, last = min(one["first"] for one in times), max(one["last"] for one in times)
    return float((last - first).total_seconds())


def folder(base: str) -> Path:
    path = Path(base)
    path.chmod(0o755)
    return path / "run"
