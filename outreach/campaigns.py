"""What a person does with a campaign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import User
from outreach.models import Campaign, Contact, Enrollment, Project, Step


class NotAllowed(Exception):
    """The act does not fit the campaign's state; the message is the sentence for the screen."""


@dataclass(frozen=True)
class Added:
    """`held_back` is filled where the campaign already runs."""

    added: int
    known: int
    held_back: int = 0


def save_step(
    campaign: Campaign,
    position: int,
    *,
    subject: str,
    body: str,
    wait_days: int = 4,
    actor: User | None = None,
) -> Step:
    """Store a step's text; queued mails of it return to planned (decisions 3). Raises NotAllowed."""
    raise NotImplementedError


def remove_step(step: Step, *, actor: User | None = None) -> None:
    """Raises NotAllowed when mails of the step have left."""
    raise NotImplementedError


def pause(campaign: Campaign, *, actor: User | None, reason: str = "") -> bool:
    raise NotImplementedError


def resume(campaign: Campaign, *, actor: User | None) -> bool:
    raise NotImplementedError


def cancel(campaign: Campaign, *, actor: User | None) -> int:
    """How many waiting mails were cancelled."""
    raise NotImplementedError


def duplicate(campaign: Campaign, *, actor: User | None, with_people: bool = False) -> Campaign:
    raise NotImplementedError


def delete(campaign: Campaign, *, actor: User | None) -> None:
    """The campaign with its mail, threads and replies."""
    raise NotImplementedError


def delete_project(project: Project, *, actor: User | None) -> None:
    raise NotImplementedError


def add_contacts(campaign: Campaign, contacts: Iterable[Contact], *, actor: User | None = None) -> Added:
    raise NotImplementedError


def remove_enrollment(enrollment: Enrollment, *, actor: User | None) -> None:
    """Before the launch the row goes; afterwards the person's waiting mails are cancelled."""
    raise NotImplementedError


def finish_idle() -> int:
    """Finish enrollments and campaigns in which nothing is left to happen; how many campaigns."""
    raise NotImplementedError
