"""Planted faults: what the caller sees, and what the ledger says really happened."""

from __future__ import annotations

import os
import signal
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.mailbox.sandbox.conftest import ROOT, Running, base64url, free_port, mail, start
from tests.mailbox.sandbox.test_google import MAYA
from tests.mailbox.sandbox.test_microsoft import NOA, Graph, graph

TO = "ana.silent@site.example"


class Gmail:
    """Bare HTTP to the Gmail API, since the client library would repeat what it should not."""

    def __init__(self, sandbox: Running) -> None:
        self.base = f"{sandbox.http}/gmail/v1/users/me"
        issued = sandbox.post("grant", provider="google", email=MAYA)
        self.headers = {"Authorization": "Bearer " + issued["access_token"]}
        self.refresh_token = issued["refresh_token"]

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(self.base + path, json=body, headers=self.headers, timeout=5)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.base + path, headers=self.headers, timeout=5)

    def draft(self) -> str:
        return str(self.post("/drafts", {"message": {"raw": base64url(mail(TO))}}).json()["id"])

    def send(self, draft: str) -> requests.Response:
        return self.post("/drafts/send", {"id": draft})


@pytest.mark.parametrize("kind", ["accept_then_reset", "truncate"])
def test_it_accepts_and_then_says_nothing_whole(sandbox: Running, kind: str) -> None:
    client = Gmail(sandbox)
    draft = client.draft()
    sandbox.post("faults", mailbox=MAYA, op="send", kind=kind)
    with pytest.raises(requests.RequestException):
        client.send(draft)
    assert len(sandbox.get("ledger")) == 1
    assert client.get(f"/drafts/{draft}").status_code == 404
    assert sandbox.get("calls", op="send")[0]["fault"] == kind


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [
        ("error_but_accepted", 503, 1),
        ("error_not_accepted", 503, 0),
        ("throttle", 429, 0),
        ("refuse_permanent", 400, 0),
        ("auth_lost", 401, 0),
        ("accept_with_retry_after", 200, 1),
    ],
)
def test_it_answers_as_planted_at_google(sandbox: Running, kind: str, status: int, accepted: int) -> None:
    client = Gmail(sandbox)
    draft = client.draft()
    sandbox.post("faults", mailbox=MAYA, op="send", kind=kind, retry_after=7)
    answer = client.send(draft)
    assert (answer.status_code, len(sandbox.get("ledger"))) == (status, accepted)
    assert client.get(f"/drafts/{draft}").status_code == (404 if accepted else 200)
    if kind in ("throttle", "accept_with_retry_after"):
        assert answer.headers["Retry-After"] == "7"
    assert client.send(draft).status_code == (404 if accepted else 200)


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [("error_but_accepted", 503, 1), ("throttle", 429, 0), ("accept_with_retry_after", 202, 1)],
)
def test_it_answers_as_planted_at_microsoft(sandbox: Running, kind: str, status: int, accepted: int) -> None:
    client = graph(sandbox)
    draft = client.draft()["id"]
    sandbox.post("faults", mailbox=NOA, op="send", kind=kind)
    assert (client.send(draft), len(sandbox.get("ledger"))) == (status, accepted)


def test_it_accepts_late(sandbox: Running) -> None:
    client = Gmail(sandbox)
    draft = client.draft()
    sandbox.post("faults", mailbox="*", op="send", kind="accept_after", after=300)
    with pytest.raises(requests.ConnectionError):
        client.send(draft)
    assert sandbox.get("ledger") == []
    assert client.get(f"/drafts/{draft}").status_code == 200
    sandbox.post("clock", advance=300)
    sandbox.wait(lambda: sandbox.get("ledger"))
    assert client.get(f"/drafts/{draft}").status_code == 404


def test_it_hangs(sandbox: Running) -> None:
    client = Gmail(sandbox)
    draft = client.draft()
    sandbox.post("faults", mailbox=MAYA, op="send", kind="hang", seconds=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(client.base + "/drafts/send", json={"id": draft}, headers=client.headers, timeout=0.3)
    assert sandbox.get("ledger") == []


def test_it_loses_the_token(sandbox: Running) -> None:
    client = Gmail(sandbox)
    sandbox.post("faults", mailbox=MAYA, op="token", kind="auth_lost")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": client.refresh_token,
        "client_id": "sandbox-google",
        "client_secret": "sandbox-google-secret",
    }
    url = client.base.partition("/gmail")[0] + "/google/token"
    first = requests.post(url, data=form, timeout=5)
    assert (first.status_code, first.json()["error"]) == (400, "invalid_grant")
    assert requests.post(url, data=form, timeout=5).status_code == 200
    assert {call["mailbox"] for call in sandbox.get("calls", op="token")} == {MAYA}


def test_it_strikes_only_whom_it_should(sandbox: Running) -> None:
    client, other = Gmail(sandbox), graph(sandbox)
    sandbox.post("faults", mailbox=MAYA, op="get", kind="throttle", times=2, skip=1)
    statuses = [client.get("/profile").status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 200]
    assert other.call("GET", "/me").status_code == 200


def test_it_refuses_an_unknown_fault(sandbox: Running) -> None:
    wish = {"op": "send", "kind": "gremlins"}
    answer = requests.post(f"{sandbox.http}/_sandbox/faults", json=wish, timeout=5)
    assert (answer.status_code, "kind is one of" in answer.json()["error"]) == (400, True)


def test_it_allows_four_requests_at_once_at_microsoft(sandbox: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    client = graph(sandbox)
    token = client.session.headers["Authorization"]
    sandbox.post("settings", latency_ms=300)

    def ask(_: int) -> int:
        return Graph(sandbox, str(token).removeprefix("Bearer ")).call("GET", "/me").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(8)))
    assert 429 in statuses
    assert 200 in statuses


def test_it_keeps_everything_over_a_restart(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    first = start(tmp_path, *ports)
    try:
        first.post("settings", pace=1)
        client = Gmail(first)
        waiting = client.draft()
        client.send(client.draft())
        to_come = client.post(
            "/drafts", {"message": {"raw": base64url(mail("ana.reply@site.example"))}}
        ).json()
        client.send(to_come["id"])
        cursor = client.get("/profile").json()["historyId"]
    finally:
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(10)
    second = start(tmp_path, *ports)
    try:
        assert client.get("/profile").json()["emailAddress"] == MAYA
        assert client.get(f"/drafts/{waiting}").status_code == 200
        assert len(second.get("ledger")) == 2
        assert client.get(f"/history?startHistoryId={cursor}").status_code == 200
        inbox = second.wait(
            lambda: [m for m in second.get("messages", mailbox=MAYA) if m["folder"] == "inbox"]
        )
        assert len(inbox) == 1
    finally:
        second.process.terminate()
        second.process.wait(10)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("DEBUG", "false", "only where DEBUG is true"),
        ("SANDBOX_DIR", "", "SANDBOX_DIR is not set"),
        ("SANDBOX_PACE", "soon", "must be a number"),
        ("SANDBOX_PROFILE", "rude", "can be hostile or lenient"),
    ],
)
def test_it_refuses_to_start_with_a_wrong_setting(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    import subprocess
    import sys

    environment = {**os.environ, "DEBUG": "true", "SANDBOX_DIR": str(tmp_path), setting: value}
    done = subprocess.run(
        [sys.executable, "-m", "mailbox.sandbox"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 2
    assert words in done.stderr


def test_it_tells_the_time_of_its_own_clock(sandbox: Running) -> None:
    """As its mails do; a Retry-After that is a date goes by it too."""
    client = Gmail(sandbox)
    sandbox.post("clock", advance=86_400)
    ahead = parsedate_to_datetime(client.get("/profile").headers["Date"]).timestamp() - time.time()
    assert 86_390 < ahead < 86_410
    sandbox.post("faults", mailbox=MAYA, op="get", kind="throttle", retry_after="date:60")
    answer = client.get("/profile")
    asked, told = (parsedate_to_datetime(answer.headers[name]) for name in ("Retry-After", "Date"))
    assert 58 <= (asked - told).total_seconds() <= 62
