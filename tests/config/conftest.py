"""What the tests of the plumbing share: the root of the repository and its own modules."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "config", "mailbox", "outreach", "tracking")


def modules(*folders: str) -> list[Path]:
    """Every Python file below the folders, without migrations."""
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
