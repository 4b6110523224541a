"""Which projects a member with limited access sees: asked of the app above, which knows what a project is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from accounts.models import Membership


@dataclass(frozen=True)
class ProjectName:
    id: uuid.UUID
    name: str


class Projects(Protocol):
    """What outreach registers. The workspace is open."""

    def names(self) -> list[ProjectName]:
        """Every project, by name."""

    def seen_by(self, memberships: Iterable[Membership]) -> Mapping[uuid.UUID, list[ProjectName]]:
        """Membership → the projects it is limited to."""

    def limit(self, membership: Membership, projects: Iterable[uuid.UUID]) -> None:
        """From now on these and no others; ids that are no project of the workspace are left out."""


_registered: list[Projects] = []


def register(projects: Projects) -> None:
    _registered[:] = [projects]


def projects() -> Projects:
    return _registered[0]
