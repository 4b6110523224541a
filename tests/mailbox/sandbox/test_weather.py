"""The sandbox's weather and its page: a seeded mix of faults, and what a person sees and plants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.mailbox.sandbox.conftest import ROOT, Running, base64url, free_port, mail
from tests.mailbox.sandbox.test_faults import TO, Gmail
from tests.mailbox.sandbox.test_google import MAYA

OLD_LEDGER = """
CREATE TABLE ledger (pk INTEGER PRIMARY KEY, provider TEXT NOT NULL, account INTEGER NOT NULL,
    mailbox TEXT NOT NULL, recipients TEXT NOT NULL, subject TEXT NOT NULL, raw BLOB NOT NULL,
    message_id TEXT NOT NULL, thread TEXT NOT NULL, provider_id TEXT NOT NULL, properties TEXT NOT NULL,
    accepted_at REAL NOT NULL);
INSERT INTO ledger VALUES (1, 'google', 1, 'm@s.example', '["a@b.example"]', 'Old', x'', '', '', '', '{}', 1);
"""


# --- weather ----------------------------------------------------------------------------------------


def seen(sandbox: Running, mailboxes: list[str], mails: int) -> dict[str, list[str]]:
    """The faults that each mailbox's drafts and submits met, in its own order."""
    base = f"{sandbox.http}/gmail/v1/users/me/drafts"
    tokens = [sandbox.post("grant", provider="google", email=one)["access_token"] for one in mailboxes]
    for number in range(mails):
        raw = base64url(mail(f"ana{number}.silent@site.example"))
        for token in tokens:
            draft = asked(base, token, {"message": {"raw": raw}})
            if draft:
                asked(f"{base}/send", token, {"id": draft["id"]})
    calls = sandbox.get("calls")
    return {one: [f"{c['op']} {c['fault']}" for c in calls if c["mailbox"] == one] for one in mailboxes}


def asked(url: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer, {} where it was bad or none."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = requests.post(url, json=body, headers=headers, timeout=5)
        return dict(answer.json()) if answer.status_code == 200 else {}
    except requests.RequestException:
        return {}


def test_it_storms_alike_for_the_same_seed(sandbox: Running) -> None:
    """The same seed and calls meet the same faults, whatever other mailboxes do; another seed does not."""
    names = [f"storm{number}@studio.example" for number in range(3)]

    def storm(seed: int, mailboxes: list[str]) -> dict[str, list[str]]:
        sandbox.post("reset")
        sandbox.post("settings", weather="storm", seed=seed, pace=10**6)
        return seen(sandbox, mailboxes, 25)

    first = storm(7, names)
    again = storm(7, list(reversed(names)))
    alone = storm(7, names[:1])
    other = storm(8, names[:1])
    assert again == first
    assert alone[names[0]] == first[names[0]]
    assert other[names[0]] != first[names[0]]
    struck = {fault for faults in first.values() for fault in faults if not fault.endswith(" ")}
    assert len({fault.split()[0] for fault in struck}) == 2, struck


def test_it_is_calm_unless_told_otherwise(sandbox: Running) -> None:
    faults = seen(sandbox, ["calm@studio.example"], 20)["calm@studio.example"]
    assert faults == ["draft ", "send "] * 20


def test_it_refuses_unknown_weather(sandbox: Running) -> None:
    answer = requests.post(f"{sandbox.http}/_sandbox/settings", json={"weather": "hail"}, timeout=5)
    assert (answer.status_code, "calm, rain, storm" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(("weather", "least", "most"), [("rain", 0.01, 0.1), ("storm", 0.15, 0.5)])
def test_it_strikes_as_often_as_it_says(weather: str, least: float, most: float) -> None:
    from mailbox.sandbox.weather import Draws, strike

    draws = Draws()
    struck = [strike(weather, "send", draws.number(7, "m", "send", str(n))) for n in range(2_000)]
    assert least < sum(fault is not None for fault in struck) / 2_000 < most
    assert {fault.kind for fault in struck if fault} > {"accept_then_reset", "throttle", "accept_after"}


def test_it_takes_its_weather_from_the_command_line(tmp_path: Path) -> None:
    http, tls = free_port(), free_port()
    environment = {
        **os.environ,
        "DEBUG": "true",
        "SANDBOX_DIR": str(tmp_path),
        "SANDBOX_HTTP_PORT": str(http),
        "SANDBOX_TLS_PORT": str(tls),
    }
    order = ["-m", "mailbox.sandbox", "--profile", "hostile", "--seed", "21", "--weather", "storm"]
    process = subprocess.Popen(
        [sys.executable, *order], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "profile hostile, weather storm, seed 21" in line
        shown = requests.get(f"http://127.0.0.1:{http}/_sandbox/settings", timeout=5).json()
        assert (shown["profile"], shown["weather"], shown["seed"]) == ("hostile", "storm", 21)
        assert shown["move_lag"] == 300
    finally:
        process.terminate()
        process.wait(10)


# --- the page ---------------------------------------------------------------------------------------


def test_it_shows_a_page(sandbox: Running) -> None:
    client = Gmail(sandbox)
    raw = base64url(mail(TO, subject="<script>alert(1)</script>"))
    client.send(client.post("/drafts", {"message": {"raw": raw}}).json()["id"])
    sandbox.post("faults", mailbox=MAYA, op="get", kind="throttle", times=0)
    answer = requests.get(f"{sandbox.http}/_sandbox/", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for words in (MAYA, TO, "for ever", "/gmail/v1/users/me/drafts/send", "&lt;script&gt;", "Last accepted"):
        assert words in answer.text
    assert "<script>" not in answer.text


def test_it_plants_and_chooses_from_the_page(sandbox: Running) -> None:
    client = Gmail(sandbox)
    draft = client.draft()
    form = {"mailbox": MAYA, "op": "send", "kind": "throttle", "times": "1", "after": "", "retry_after": "9"}
    page = f"{sandbox.http}/_sandbox/page"
    assert requests.post(f"{page}/fault", data=form, timeout=5).url == f"{sandbox.http}/_sandbox/"
    assert client.send(draft).headers["Retry-After"] == "9"
    requests.post(f"{page}/weather", data={"profile": "hostile", "weather": "rain", "seed": "4"}, timeout=5)
    shown = sandbox.get("settings")
    assert (shown["profile"], shown["weather"], shown["seed"]) == ("hostile", "rain", 4)
    requests.post(f"{page}/fault", data={**form, "times": "0"}, timeout=5)
    requests.post(f"{page}/weather", data={"profile": "lenient", "weather": "calm", "seed": "7"}, timeout=5)
    requests.post(f"{page}/clear", timeout=5)
    assert client.send(draft).status_code == 200


def test_it_takes_no_form_from_elsewhere(sandbox: Running) -> None:
    form = {"mailbox": "*", "op": "send", "kind": "throttle"}
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(f"{sandbox.http}/_sandbox/page/fault", data=form, headers=headers, timeout=5)
    assert answer.status_code == 403
    client = Gmail(sandbox)
    assert client.send(client.draft()).status_code == 200
