"""What goes wrong in a soak, by a seeded plan: processes die, stop and come back, people stop what runs.

The seed fixes the order of acts, their gaps and their targets; what they meet depends on the machine's own
scheduling, so that a seed repeats a plan and not each interleaving.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import connections
from django.test import Client
from kombu.exceptions import OperationalError

from accounts.tenancy import workspace
from config.celery import app
from mailbox import revocation
from mailbox.models import Mailbox, Receipt
from outreach import campaigns, suppression
from outreach.models import Campaign, CampaignState, Message
from tests.soak.furniture import House
from tests.soak.world import World
from tracking.tokens import opt_out_url

# Mean number of mails between two acts of a kind: the plan goes with the work, so that a slow machine meets
# the same faults at the same mails, and is not killed faster than it can start. A process that starts costs
# as much as a hundred mails: most deaths are those of a worker's children, and of the failpoints in them.
GAPS = {
    "kill_child": 120.0,
    "kill_worker": 1500.0,
    "kill_beat": 4000.0,
    "stop_child": 400.0,
    "stop_worker": 1500.0,
    "flush": 800.0,
    "kill_postgres": 2500.0,
    "restart": 4000.0,
    "pause": 30.0,
    "opt_out": 35.0,
    "storm": 300.0,
    "copies": 60.0,
}
COPIES = 5
OF_A_MAILBOX = (
    "outreach.send_batch",
    "outreach.settle_mailbox",
    "outreach.poll_mailbox",
    "outreach.sweep_mailbox",
)
# A scheduled look names its mailbox together with the workspace, several to a message.
OF_PAIRS = ("outreach.poll_mailboxes",)
OF_A_WORKSPACE = ("outreach.queue_messages", "outreach.finish_campaigns")


class Chaos:
    """`turn` does what is due now. `done` counts acts; `kills` what was ended by SIGKILL."""

    def __init__(self, world: World, house: House, *, seed: int, sends: int, revokes: int) -> None:
        self.world, self.house = world, house
        self.dice = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.acts: dict[str, Callable[[], bool]] = {name: getattr(self, f"_{name}") for name in GAPS}
        # Each kind comes up in a short run as well.
        self.due = {name: self.dice.uniform(0.1, 0.6) * min(gap, sends) for name, gap in GAPS.items()}
        self.later: list[tuple[float, Callable[[], object]]] = []
        # Spread over the run by what has been sent, not by time: a slow machine meets them all the same.
        self.revokes = sorted(self.dice.uniform(0.1, 0.85) * sends for _ in range(revokes))
        self.doomed = self.dice.sample(sorted(house.mailboxes), revokes)
        # The client of a person with the link in the mail: no sign-in, no cookie.
        self.person = Client(SERVER_NAME="localhost")

    @property
    def kills(self) -> int:
        return sum(self.done[name] for name in ("kill_child", "kill_worker", "kill_beat", "kill_postgres"))

    def turn(self, sent: int) -> None:
        self.done["revived"] += self.world.revive()
        now = time.monotonic()
        for entry in [one for one in self.later if one[0] <= now]:
            self.later.remove(entry)
            entry[1]()
        for name, at in self.due.items():
            if at <= sent:
                done = self.acts[name]()
                self.done[name] += done
                # What found nothing to act on (a worker that is starting) comes again soon.
                self.due[name] = max(at, sent) + (self._gap(name) if done else 2)
        while self.revokes and sent >= self.revokes[0]:
            self.revokes.pop(0)
            self.revoke(self.doomed.pop())

    def calm(self) -> None:
        """Nothing goes wrong any more; what was stopped or paused goes on."""
        for _, act in self.later:
            act()
        self.later.clear()
        for here in self.house.workspaces:
            with workspace(here):
                for campaign in Campaign.objects.filter(state=CampaignState.PAUSED):
                    campaigns.resume(campaign, actor=self.house.owners[here])

    # --- processes ----------------------------------------------------------------------------
    def _kill_child(self) -> bool:
        children = [pid for name in self.world.workers for pid in self.world.pool_of(name)]
        return bool(children) and _signal(self.dice.choice(children), signal.SIGKILL)

    def _kill_worker(self) -> bool:
        name = self.dice.choice(sorted(self.world.workers))
        if not self.world.is_up(name):
            return False
        self.world.kill_worker(name)
        self.world.start_worker(name)
        return True

    def _kill_beat(self) -> bool:
        self.world.kill_beat(name := self.dice.choice(sorted(self.world.beats)))
        self.world.start_beat(name)
        return True

    def _restart(self) -> bool:
        """One worker after the other, as a deploy does; what is not done in two seconds is killed."""
        for name in sorted(self.world.workers):
            self.world.end_worker(name, seconds=2)
            self.world.start_worker(name)
        return True

    def _stop_child(self) -> bool:
        children = [pid for name in self.world.workers for pid in self.world.pool_of(name)]
        if not children:
            return False
        pid = self.dice.choice(children)
        stopped = _signal(pid, signal.SIGSTOP)
        self._go_on(self.dice.uniform(1, 10), lambda: _signal(pid, signal.SIGCONT))
        return stopped

    def _stop_worker(self) -> bool:
        """Parent and children: nobody is left to keep the hard limit (F18)."""
        name = self.dice.choice(sorted(self.world.workers))
        child = self.world.workers[name]
        if not self.world.is_up(name):
            return False
        child.signal(signal.SIGSTOP)
        self._go_on(self.dice.uniform(2, 15), lambda: child.signal(signal.SIGCONT))
        return True

    def _flush(self) -> bool:
        self.world.redis_client.flushall()
        return True

    def _kill_postgres(self) -> bool:
        self.world.kill_postgres()
        connections.close_all()
        return True

    def _storm(self) -> bool:
        """Each wake-up of the beat five times, as a broker redelivers (F17)."""
        names = sorted(entry["task"] for entry in app.conf.beat_schedule.values())
        return self._send((name, ()) for name in names)

    def _copies(self) -> bool:
        """Each task of one mailbox five times, with the keys gone that let the second of two give way."""
        mailbox = self.dice.choice(sorted(self.house.mailboxes))
        here = str(self.house.mailboxes[mailbox][0])
        self.world.forget_keys(str(mailbox))
        done = self._send(
            [(name, (here, str(mailbox))) for name in OF_A_MAILBOX]
            + [(name, (f"{here}/{mailbox}",)) for name in OF_PAIRS]
            + [(name, (here,)) for name in OF_A_WORKSPACE]
        )
        for _ in range(COPIES):
            self._in(self.dice.uniform(0, 1), lambda: self.world.forget_keys(str(mailbox)))
        return done

    def _send(self, tasks: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
        try:
            for name, ids in tasks:
                for _ in range(COPIES):
                    app.send_task(name, ids)
        except OperationalError:
            return False
        return True

    # --- people -------------------------------------------------------------------------------
    def _pause(self) -> bool:
        pk = self.dice.choice(sorted(self.house.campaigns))
        here = self.house.campaigns[pk]
        owner = self.house.owners[here]
        with workspace(here):
            paused = campaigns.pause(Campaign.objects.get(pk=pk), actor=owner)

        def resume() -> None:
            with workspace(here):
                campaigns.resume(Campaign.objects.get(pk=pk), actor=owner)

        if paused:
            self._in(self.dice.uniform(0.5, 6), resume)
        return paused

    def _opt_out(self) -> bool:
        box = self.dice.choice(sorted(self.house.mailboxes))
        here, _ = self.house.mailboxes[box]
        with workspace(here):
            ids = list(Message.objects.filter(mailbox=box).order_by("pk").values_list("pk", flat=True))
            message = Message.objects.select_related("contact").get(pk=self.dice.choice(ids))
        return message.contact is not None and opt_out(
            self.person, here, message.pk, str(message.contact.address)
        )

    def revoke(self, mailbox_id: UUID) -> None:
        here, _ = self.house.mailboxes[mailbox_id]
        with workspace(here):
            revocation.revoke(Mailbox.objects.get(pk=mailbox_id), actor=self.house.owners[here])
            receipts = [
                str(pk) for pk in Receipt.objects.filter(mailbox=mailbox_id).values_list("pk", flat=True)
            ]
        self.done["revoke"] += 1
        self._send(("outreach.erase_mailbox", (str(here), str(pk))) for pk in receipts)

    # --- inside -------------------------------------------------------------------------------
    def _gap(self, name: str) -> float:
        return self.dice.expovariate(1 / GAPS[name])

    def _go_on(self, seconds: float, act: Callable[[], object]) -> None:
        """On a thread of its own: who is stopped may hold the very row that this thread waits for."""
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()

    def _in(self, seconds: float, act: Callable[[], object]) -> None:
        self.later.append((time.monotonic() + seconds, act))


def opt_out(person: Client, here: UUID, key: UUID, address: str) -> bool:
    """One click on the link of this mail, as a mail program posts it (RFC 8058)."""
    with workspace(here):
        url = opt_out_url(here, key, address_index=suppression.index_of(address))
    answer = person.post("/u/" + url.rpartition("/")[2], {"List-Unsubscribe": "One-Click"})
    return answer.status_code == 200


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
