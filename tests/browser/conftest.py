"""The whole product as `make run` starts it, in a folder of its own, and real browsers in front of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from config import embedded, processes
from tests.environment import FIXED

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C stops everything."
# What the tests' own environment sets and `make run` must find out for itself.
OURS = {
    *FIXED,
    "DATABASE_URL",
    "KEYSTORE_URL",
    "REDIS_URL",
    "STATIC_ROOT",
    "CELERY_BEAT_SCHEDULE_FILENAME",
    *embedded.sandbox_environment(1, 2, Path("/")),
}


@dataclass
class Product:
    """A running `make run`: what it printed, where it answers, and its sandbox's control API."""

    data: Path
    port: int
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def url(self) -> str:
        found = re.search(r"Outreach runs at (http://localhost:\d+)/", self.text)
        assert found, self.text
        return found.group(1)

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return self.setting("GMAIL_API_BASE")

    def setting(self, name: str) -> str:
        """A setting, read from the environment that the run gave its children."""
        for pid in Path("/proc").glob("[0-9]*"):
            try:
                environment = (pid / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            found = [e for e in environment if e.startswith(f"{name}=".encode())]
            if found and f"{processes.MARK}={self.data}".encode() in environment:
                return found[0].decode().split("=", 1)[1]
        raise AssertionError("no child of the run was found")

    def look(self, what: str, **query: str) -> Any:
        """GET of the sandbox's control API: ledger, calls, private, accounts."""
        with urllib.request.urlopen(
            f"{self.sandbox}/_sandbox/{what}?{urlencode(query)}", timeout=30
        ) as answer:
            return json.load(answer)

    def tell(self, act: str, **wish: Any) -> Any:
        request = urllib.request.Request(
            f"{self.sandbox}/_sandbox/{act}", json.dumps(wish).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> str:
        """Ctrl-C; returns what was said until the end."""
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=90)
        self.said.append(rest)
        return rest


def start(data: Path, *more: str, port: int = 0, **environment: str) -> Product:
    """Start `make run`'s program and wait until it says that it is ready."""
    port = port or embedded.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "config.run", "--data", str(data), "--port", str(port), *more],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in OURS} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    product = Product(data.resolve(), port, process)
    assert process.stdout
    until = time.monotonic() + 300
    for line in process.stdout:
        product.said.append(line)
        if READY in line:
            return product
        assert time.monotonic() < until, product.text
    raise AssertionError(f"make run ended\n{product.text}")


def left_behind(data: Path) -> list[str]:
    """Processes that still carry the mark of a run."""
    mark = f"{processes.MARK}={data.resolve()}".encode()
    found = []
    for pid in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (pid / "environ").read_bytes().split(b"\0"):
                found.append((pid / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One run for all that is told here; each story works in a workspace of its own."""
    folder = tmp_path_factory.mktemp("run")
    for part in (folder, *folder.parents):
        if part.stat().st_uid == os.geteuid() and part.name.startswith(("pytest-", "run")):
            part.chmod(0o755)  # root's PostgreSQL runs as nobody and must pass
    running = start(folder / "data")
    yield running
    running.stop()


@pytest.fixture
def window(browser: Browser, product: Product) -> Iterator[BrowserContext]:
    """A fresh browser profile that trusts the sandbox's certificate."""
    context = browser.new_context(
        base_url=product.url, ignore_https_errors=True, viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Page:
    """A tab in which an uncaught error or a blocked script of ours fails the test."""
    tab = window.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on(
        "console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None
    )
    tab.problems = problems  # type: ignore[attr-defined]
    return tab
