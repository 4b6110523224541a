"""`make run`: it says where it is and who may sign in, survives a restart, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import left_behind, start


@pytest.mark.slow
def test_it_starts_keeps_its_data_and_leaves_nothing_behind(tmp_path: Path) -> None:
    for part in (tmp_path, *tmp_path.parents):
        if part.stat().st_uid == os.geteuid() and part.is_relative_to("/tmp/pytest-of-root"):
            part.chmod(0o755)
    data = tmp_path / "run"
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        first = start(data, port=port)
        try:
            assert f"Port {port} (web) is taken" in first.text
            assert "mira@fernhill.example" in first.text
            assert "odalys@fernhill.example" in first.text
            with urllib.request.urlopen(f"{first.url}/accounts/login/", timeout=10) as answer:
                assert answer.status == 200
            secrets = (data / "env").read_text()
        finally:
            first.stop()
    assert first.process.returncode == 0
    assert left_behind(data) == []

    second = start(data)
    try:
        assert (data / "env").read_text() == secrets
    finally:
        second.stop()
    assert left_behind(data) == []

    afresh = start(data, "--reset")
    try:
        assert (data / "env").read_text() != secrets
        time.sleep(1)
    finally:
        afresh.stop()
