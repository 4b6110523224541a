"""Stage 1, compose: who is ready, and the planned rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from accounts.models import User
from mailbox.models import Mailbox
from outreach.models import Campaign, Contact, Enrollment, Message, Project, RemovalCase, Step, Thread
from outreach.policy import Verdict
from outreach.problems import Problem


@dataclass(frozen=True)
class Readiness:
    """`problems` stop the launch; people in `held_back` are left out by name, each with a sentence."""

    ready: list[Enrollment] = field(default_factory=list)
    held_back: list[tuple[Enrollment, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Launched:
    ready: int
    held_back: int


class NotReady(Exception):
    """The launch is stopped by `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = problems


class Blocked(Exception):
    """A hand-written mail may not go: `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.sentence)
        self.verdict = verdict


class NeedsConfirmation(Blocked):
    """The person is suppressed: an answer goes only when somebody confirms it."""


def readiness(campaign: Campaign) -> Readiness:
    raise NotImplementedError


def launch(campaign: Campaign, *, actor: User | None) -> Launched:
    """Raises NotReady."""
    raise NotImplementedError


def write_answer(
    thread: Thread, *, compose_id: uuid.UUID, text: str, actor: User, confirmed: bool = False
) -> Message:
    """Raises Blocked, NeedsConfirmation. The same `compose_id` again gives the same row."""
    raise NotImplementedError


def write_test(step: Step, contact: Contact | None, *, compose_id: uuid.UUID, user: User) -> Message:
    """Goes to `user.email` from the campaign's mailbox. Raises Blocked, NotReady."""
    raise NotImplementedError


def removal_campaign(project: Project, *, actor: User | None, mailbox: Mailbox | None = None) -> Campaign:
    """The project's removal campaign with its preset text, made on first use."""
    raise NotImplementedError


def ask_for_removal(
    cases: Iterable[RemovalCase], *, actor: User | None
) -> tuple[list[RemovalCase], list[tuple[RemovalCase, str]]]:
    """(asked, held back with a sentence). The cases are of one project. Raises NotReady."""
    raise NotImplementedError
