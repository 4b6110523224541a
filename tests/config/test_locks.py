"""The lock files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl.xml import functions

LOCKS = ("base", "local", "dev")


def entries(text: str) -> list[str]:
    """One text per locked package, its hashes included."""
    return [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry and not entry.startswith("#")]


def faults(text: str) -> list[str]:
    """What must not stand in a lock file, and what must but does not."""
    found = re.findall(r"https?:\S*|file:\S*|--(?:extra-)?index-url.*|--find-links.*|\S+ @ \S+", text)
    for entry in entries(text):
        if not re.match(r"[A-Za-z0-9._-]+(\[[^]]+\])?==\S+", entry) or "--hash=sha256:" not in entry:
            found.append(entry.splitlines()[0])
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_it_names_versions_and_hashes_and_no_host(root: Path, name: str) -> None:
    text = (root / "requirements" / f"{name}.txt").read_text()
    assert len(entries(text)) > 30
    assert faults(text) == []


@pytest.mark.parametrize(
    "planted",
    [
        "django==5.2.19",
        "--index-url https://pypi.example/simple",
        "django @ https://files.example/django.whl --hash=sha256:00",
        "django>=5 --hash=sha256:00",
    ],
)
def test_it_finds_a_planted_fault(planted: str) -> None:
    assert faults(planted)


@pytest.mark.parametrize("name", LOCKS)
def test_it_locks_everything_that_is_asked_for(root: Path, name: str) -> None:
    locked = {
        re.split(r"[=\[]", entry)[0].lower().replace("_", "-")
        for entry in entries((root / "requirements" / f"{name}.txt").read_text())
    }
    wanted = {
        re.split(r"[~=<>\[]", line.strip())[0].lower().replace("_", "-")
        for line in (root / "requirements" / f"{name}.in").read_text().splitlines()
        if line.strip() and not line.startswith(("#", "-r"))
    }
    assert wanted - locked == set()


def test_it_agrees_on_versions_between_the_lock_files(root: Path) -> None:
    versions: dict[str, set[str]] = {}
    for name in LOCKS:
        for entry in entries((root / "requirements" / f"{name}.txt").read_text()):
            package, _, version = entry.split(" ")[0].partition("==")
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_it_reads_a_stranger_s_spreadsheet_in_production_as_in_the_tests(root: Path) -> None:
    """T27: openpyxl refuses XML entities only where defusedxml is installed, and is silent without it."""
    assert any(
        entry.startswith("defusedxml==") for entry in entries((root / "requirements/base.txt").read_text())
    )
    assert functions.iterparse.__module__.startswith("defusedxml")
