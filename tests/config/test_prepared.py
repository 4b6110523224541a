"""The databases that the tests begin with: another migration, another dump."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from tests import prepared


@pytest.fixture
def copy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the key is made of, in a folder of its own."""
    for part in ("outreach/migrations", "accounts/walls", "accounts/models", "requirements", "config"):
        shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "tests" / "config", tmp_path / "tests")
    shutil.copy(root / "tests" / "prepared.py", tmp_path / "tests")
    monkeypatch.setattr(prepared, "ROOT", tmp_path)
    monkeypatch.setattr(prepared, "__file__", str(tmp_path / "tests" / "prepared.py"))
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    ["outreach/migrations/0001_initial.py", "accounts/walls/rules.py", "requirements/base.txt"],
)
def test_it_is_made_anew_when_what_it_depends_on_has_changed(copy: Path, changed: str) -> None:
    before = prepared._key()
    assert prepared._key() == before
    with (copy / changed).open("a") as file:
        file.write("\n# changed\n")
    assert prepared._key() != before


def test_it_keeps_the_newest(tmp_path: Path) -> None:
    for number in range(20):
        file = tmp_path / f"default-{number:02}.sql"
        file.touch()
        os.utime(file, (number, number))
    prepared._forget(tmp_path)
    kept = sorted(file.name for file in tmp_path.iterdir())
    assert len(kept) == prepared.MOST_KEPT * 2
    assert kept[-1] == "default-19.sql"


@pytest.mark.parametrize("alias", ["default", "keystore"])
def test_nothing_is_left_to_migrate(db: None, alias: str) -> None:
    executor = MigrationExecutor(connections[alias])
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
