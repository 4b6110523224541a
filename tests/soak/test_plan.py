"""What a run does to itself: the failpoints of its workers write down what fired, its mailboxes differ."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from accounts.failpoints import FailpointReached
from tests.soak import worker


class Dice:
    def __init__(self, number: float) -> None:
        self.number = number

    def random(self) -> float:
        return self.number


def test_a_failpoint_is_written_down_before_it_acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report counts what fired; a process that is killed writes nothing afterwards."""
    book, killed = tmp_path / "fired", []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    monkeypatch.setattr(worker, "_DICE", Dice(worker.KILLED / 2))
    worker.maybe("after_accept", book)
    assert killed == [(os.getpid(), signal.SIGKILL)]
    monkeypatch.setattr(worker, "_DICE", Dice(worker.KILLED + worker.RAISED / 2))
    with pytest.raises(FailpointReached):
        worker.maybe("before_write", book)
    monkeypatch.setattr(worker, "_DICE", Dice(worker.KILLED + worker.RAISED))
    worker.maybe("before_write", book)
    assert worker.fired(book) == {"kill9 after_accept": 1, "raise before_write": 1}


def test_nothing_fired_where_nothing_was_written(tmp_path: Path) -> None:
    assert worker.fired(tmp_path / "fired") == {}


@pytest.mark.parametrize(("people", "mailboxes"), [(1163, 50), (58_140, 100), (3, 8)])
def test_everybody_has_a_mailbox_and_half_of_them_write_to_more(people: int, mailboxes: int) -> None:
    from tests.soak.furniture import uneven

    shares = uneven(people, mailboxes)
    assert (len(shares), sum(shares)) == (mailboxes, people)
    assert max(shares) >= 2 * min(shares)
