"""A running sandbox for these tests: a process of its own, reached over HTTP like the real services."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Running:
    """A sandbox process and its control API."""

    http: str
    tls: str
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def ca(self) -> str:
        return str(self.directory / "ca.pem")

    def post(self, act: str, **wish: Any) -> Any:
        answer = requests.post(f"{self.http}/_sandbox/{act}", json=wish, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, what: str, **query: str) -> Any:
        answer = requests.get(f"{self.http}/_sandbox/{what}", params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait(self, look: Callable[[], Any], seconds: float = 8) -> Any:
        """What `look` returns once it is true."""
        until = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < until, "nothing came in time"
            time.sleep(0.05)
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(directory: Path, http_port: int, tls_port: int) -> Running:
    environment = {
        **os.environ,
        "DEBUG": "true",
        "SANDBOX_DIR": str(directory),
        "SANDBOX_HTTP_PORT": str(http_port),
        "SANDBOX_TLS_PORT": str(tls_port),
        "SANDBOX_PACE": "0.05",
    }
    process = subprocess.Popen([sys.executable, "-m", "mailbox.sandbox"], cwd=ROOT, env=environment)
    running = Running(f"http://127.0.0.1:{http_port}", f"https://localhost:{tls_port}", directory, process)
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"{running.http}/_sandbox/health", timeout=1) as answer:
                assert json.load(answer)["ok"]
            return running
        except OSError:
            assert process.poll() is None, "the sandbox ended"
            assert time.monotonic() < until, "the sandbox did not start"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("sandbox"), free_port(), free_port())
    yield running
    running.process.terminate()
    running.process.wait(10)


@pytest.fixture
def sandbox(process: Running) -> Running:
    process.post("reset")
    return process


def mail(
    to: str,
    *,
    subject: str = "Hello",
    text: str = "Hi there",
    html: str = "",
    headers: dict[str, str] | None = None,
) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = "Maya <maya@studio.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<ours@outreach.example>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
