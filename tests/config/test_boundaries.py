"""Every import contract turns red on a planted violation: a contract that cannot break holds nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.config.conftest import PACKAGES

# contract → (module to which a line is added, the line)
PLANTED = {
    "layers": ("accounts/tenancy.py", "import mailbox.types"),
    "providers": ("mailbox/providers/gmail.py", "import mailbox.providers.graph"),
    "provider-door": ("outreach/pipeline/send.py", "import mailbox.providers.gmail"),
    "stages": ("outreach/pipeline/send.py", "import outreach.pipeline.claim"),
    "stages-plain": ("outreach/pipeline/send.py", "import celery"),
    "http-doors": ("outreach/pipeline/send.py", "import requests"),
    "sandbox": ("mailbox/gateway.py", "import mailbox.sandbox"),
    "sandbox-alone": ("mailbox/sandbox/server.py", "import accounts.tenancy"),
}


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--contract", contract],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_it_plants_a_violation_of_every_contract(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    assert {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]} == set(PLANTED)


@pytest.mark.parametrize("contract", PLANTED)
def test_it_turns_red_on_a_violation(copy: Path, contract: str) -> None:
    assert lint(copy, contract).returncode == 0
    module, line = PLANTED[contract]
    path = copy / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    broken = lint(copy, contract)
    assert broken.returncode == 1
    assert "BROKEN" in broken.stdout
