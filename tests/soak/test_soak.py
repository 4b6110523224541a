"""A short soak and short races in the test run (decisions 26); `make soak` and `make races` run long.

Each is a program of its own: it has its own PostgreSQL, which it kills, and its own Redis, which it flushes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Four to eight mails a second on two cores that others use as well: 2,000 would take the tests too long.
SENDS = 500
REVOKES, OPT_OUTS = 20, 100
# What the machine gives to any program; nothing of the tests' own servers.
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "OUTREACH_PG_BIN")


def run(module: str, *arguments: str) -> tuple[dict[str, Any], str]:
    """The report of one run, and everything that it said."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        cwd=ROOT,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    begin = done.stdout.find("\n{")
    assert begin >= 0, done.stdout[-4000:]
    report: dict[str, Any] = json.loads(done.stdout[begin:])
    assert (done.returncode != 0) is bool(report["broken"])
    return report, done.stdout[-4000:]


@pytest.mark.slow
def test_it_sends_each_mail_once_while_everything_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Faults R1 in small: F1 to F8, F14 to F19, F22, F25, F26, with the counts of faults 7.3."""
    report, said = run("tests.soak", "--sends", str(SENDS), "--seed", "4", "--minutes", "12")
    with capsys.disabled():
        sys.stdout.write(f"\nsoak: {json.dumps({k: v for k, v in report.items() if k != 'examples'})}\n")
    assert report["broken"] == [], said
    assert report["sends"] > SENDS * 0.7
    # The run was one in which things went wrong.
    assert report["faults"] > SENDS * 0.15
    assert report["faults_in_doubt_window"] > SENDS * 0.05
    assert report["kills"] > SENDS / 100
    assert report["failpoints"]
    for act in (
        "kill_worker",
        "kill_beat",
        "kill_postgres",
        "flush",
        "stop_child",
        "restart",
        "pause",
        "opt_out",
        "revoke",
        "storm",
        "copies",
    ):
        assert report["acts"].get(act), act


@pytest.mark.slow
def test_it_starts_nothing_behind_a_stop(capsys: pytest.CaptureFixture[str]) -> None:
    """Faults R3 and R4 in small: no `submitting` committed behind a stop, no token left behind a revoke.

    When a call reaches the provider is a matter of the machine's load as well; the 250 ms of decisions 6 are
    printed here and held by `make races`.
    """
    report, said = run(
        "tests.soak.races", "--revokes", str(REVOKES), "--opt-outs", str(OPT_OUTS), "--seed", "4"
    )
    with capsys.disabled():
        sys.stdout.write(f"\nraces: {json.dumps({k: v for k, v in report.items() if k != 'examples'})}\n")
    assert [name for name in report["broken"] if name != "late_calls"] == [], said
    assert report["revokes"] == REVOKES
    assert report["opt_outs"] > OPT_OUTS / 2
    assert set(report["stopped_under_way"]) == {"revoke", "opt_out"}
