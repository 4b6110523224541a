"""The shape of the tree: small modules with telling names, and our own `mailbox`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mailbox
from tests.config.conftest import PACKAGES, modules

VAGUE = {"utils", "util", "helpers", "helper", "services", "service", "common", "misc"}
MOST_LINES = 400
# The doors: the folders and modules that may open a connection of their own.
DOORS = ("mailbox/providers/", "mailbox/oauth.py", "mailbox/sandbox/", "config/", "accounts/outbound.py")
CLIENTS = {"urllib.request", "http.client", "smtplib", "imaplib", "poplib", "ftplib", "telnetlib", "socket"}


def connections(source: str) -> set[str]:
    """The standard library's network modules that a source imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & CLIENTS


def vague(path: Path) -> bool:
    return bool(VAGUE & {part.removesuffix(".py") for part in path.parts})


def test_it_imports_our_own_mailbox(root: Path) -> None:
    assert mailbox.__file__ is not None
    assert Path(mailbox.__file__).is_relative_to(root)


def test_it_keeps_every_module_within_the_limit() -> None:
    long = {str(path): len(path.read_text().splitlines()) for path in modules(*PACKAGES, "tests")}
    assert len(long) > 50
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES} == {}


def test_it_gives_every_module_a_telling_name(root: Path) -> None:
    found = [path.relative_to(root) for path in modules(*PACKAGES, "tests", "benchmarks")]
    assert [str(path) for path in found if vague(path)] == []


@pytest.mark.parametrize("planted", ["outreach/utils.py", "accounts/services/mail.py"])
def test_it_notices_a_vague_name(planted: str) -> None:
    assert vague(Path(planted))


def test_it_opens_connections_at_the_named_doors_only(root: Path) -> None:
    elsewhere = {
        str(path.relative_to(root)): found
        for path in modules(*PACKAGES)
        if not str(path.relative_to(root)).startswith(DOORS) and (found := connections(path.read_text()))
    }
    assert elsewhere == {}


@pytest.mark.parametrize(
    "planted", ["import smtplib", "from urllib import request", "from urllib.request import urlopen"]
)
def test_it_notices_a_connection_elsewhere(planted: str) -> None:
    assert connections(planted)


def test_it_gives_every_module_a_docstring(root: Path) -> None:
    bare = [
        str(path.relative_to(root))
        for path in modules(*PACKAGES)
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert bare == []
