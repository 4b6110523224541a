"""Places at which the process can be made to fail: all there, cheap, and never armed in production."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test.utils import override_settings

from accounts import checks, failpoints
from accounts.failpoints import NAMES, BadFailpoint, FailpointReached, arm, failpoint, parse

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("accounts", "mailbox", "outreach", "tracking", "config")
# faults.md 7.2.
FAULTS = """
after_claim, before_draft_create, after_draft_create, after_draft_stored, after_draft_readback,
before_last_gate, after_submitting_commit, before_write, after_write, after_accept, before_sent_commit,
after_sent_commit, before_id_readback, in_reconcile
"""


def places(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("failpoint", "failpoints.failpoint"):
            yield str(ast.literal_eval(node.args[0]))


def test_each_name_stands_in_the_code_once() -> None:
    found = Counter(
        name for app in PRODUCT for path in (ROOT / app).rglob("*.py") for name in places(path.read_text())
    )
    assert found == Counter(NAMES)
    assert [name.strip() for name in FAULTS.split(",")] == list(NAMES)


def test_it_sees_a_place_that_stands_twice() -> None:
    source = 'failpoint("after_claim")\ndef f(): failpoint("after_claim")'
    assert Counter(places(source)) == Counter(after_claim=2)


def test_it_does_nothing_where_nothing_is_armed() -> None:
    assert failpoints._armed == {}
    failpoint("after_claim")


def test_it_counts_what_was_reached_and_forgets_it_again() -> None:
    with arm({"after_write": lambda: None}) as reached:
        failpoint("after_write")
        failpoint("after_claim")
        failpoint("after_claim")
    assert reached == Counter(after_write=1, after_claim=2)
    failpoint("after_write")
    assert reached["after_write"] == 1
    assert failpoints._armed == {}


def test_it_raises_where_it_is_asked_to() -> None:
    with arm(parse("after_claim:raise")), pytest.raises(FailpointReached, match="after_claim"):
        failpoint("after_claim")


def test_it_keeps_to_the_probability() -> None:
    with arm(parse("after_claim:raise@0")):
        for _ in range(50):
            failpoint("after_claim")


def test_it_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("accounts.failpoints.time.sleep", slept.append)
    with arm(parse("in_reconcile:pause(2.5)")):
        failpoint("in_reconcile")
    assert slept == [2.5]


@pytest.mark.parametrize(
    "wrong",
    [
        "after_lunch:kill9",
        "after_claim",
        "after_claim:explode",
        "after_claim:kill9@2",
        "after_claim:pause(x)",
    ],
)
def test_it_refuses_what_no_code_has(wrong: str) -> None:
    with pytest.raises(BadFailpoint):
        parse(wrong)


def test_a_test_cannot_arm_what_no_code_has() -> None:
    with pytest.raises(BadFailpoint, match="after_lunch"), arm({"after_lunch": lambda: None}):
        pass


def test_it_is_refused_where_debug_is_off() -> None:
    with override_settings(FAILPOINTS="after_claim:kill9", DEBUG=False):
        assert [problem.id for problem in checks.failpoints_are_for_tests()] == ["outreach.E008"]
    with override_settings(FAILPOINTS="after_claim:kill9", DEBUG=True):
        assert checks.failpoints_are_for_tests() == []
    with override_settings(FAILPOINTS="", DEBUG=False):
        assert checks.failpoints_are_for_tests() == []


REACH = """
import django
django.setup()
from accounts.failpoints import failpoint
failpoint("after_claim")
print("alive")
"""


def start(**more: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that reaches a failpoint as the first thing it does."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **more}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REACH],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_it_kills_its_own_process() -> None:
    assert start(DEBUG="true", FAILPOINTS="after_claim:kill9").returncode == -signal.SIGKILL


def test_it_arms_nothing_where_debug_is_off() -> None:
    """A server that runs no system checks comes up unharmed (the check refuses all other starts)."""
    done = start(DEBUG="false", FAILPOINTS="after_claim:kill9")
    assert (done.returncode, done.stdout.strip()) == (0, "alive")


def test_a_start_with_an_unknown_name_ends() -> None:
    done = start(DEBUG="true", FAILPOINTS="after_lunch:kill9")
    assert done.returncode == 1
    assert "after_lunch" in done.stderr
