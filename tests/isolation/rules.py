"""The words in which tests/isolation/areas and tests/isolation/expected.py say who may do what."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from accounts.models import Role

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VIEWER, MEMBER, ADMIN, OWNER = Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER


@dataclass(frozen=True)
class Rule:
    """An address of a workspace: method → the least role. What is not named is not taken (405).

    `project`: what stands there belongs to one project, and is not there for who does not see it.
    `all_projects`: methods that change nothing for who sees some projects only.
    `own`: the least role with a row of one's own; the matrix comes to somebody else's.
    """

    least: dict[str, Role] = field(default_factory=dict)
    project: bool = False
    own: Role | None = None
    all_projects: frozenset[str] = frozenset()

    @property
    def lowest(self) -> Role:
        """Below it, nothing of the address is said: not even which methods it takes."""
        return self.own or min(self.least.values(), key=lambda role: role.rank)


class Audience(Enum):
    EVERYBODY = "everybody"
    SIGNED_IN = "whoever is signed in"


@dataclass(frozen=True)
class Door:
    """An address outside every workspace. `answers` are the statuses that its audience may meet."""

    audience: Audience = Audience.EVERYBODY
    methods: tuple[str, ...] = ("GET",)
    answers: tuple[int, ...] = (200, 302)


def reads(role: Role, *, project: bool = False) -> Rule:
    return Rule({"GET": role}, project)


def acts(role: Role, *, project: bool = False) -> Rule:
    return Rule({"POST": role}, project)


def asks(role: Role, *, project: bool = False, own: Role | None = None) -> Rule:
    """A page with its form: who may not send it does not see it either."""
    return Rule({"GET": role, "POST": role}, project, own)


def shows(role: Role, act: Role, *, project: bool = False) -> Rule:
    """Read from `role` on, changed from `act` on."""
    return Rule({"GET": role, "POST": act}, project)


def makes_projects(role: Role) -> Rule:
    """A new project would be one that a member with some projects only does not see."""
    return Rule({"GET": role, "POST": role}, all_projects=frozenset({"POST"}))


@dataclass(frozen=True)
class Call:
    """One operation of the API: the least role of a browser session, and the scope of a key ("" for any).

    `names_project`: the body names one, which is refused as one that is not there (400).
    """

    least: Role
    scope: str = ""
    project: bool = False
    names_project: bool = False
