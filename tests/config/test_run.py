"""`make run`: it says where it is and who may sign in, survives a restart, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from config import embedded
from config.processes import StartFailed
from config.run import Run
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


def test_it_wants_the_owner_of_a_database_that_is_named_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product's role cannot migrate, and the owner is not the one to run the product as."""
    app, owner = "postgres://outreach_app:a@db.example/outreach", "postgres://outreach:b@db.example/outreach"
    monkeypatch.setenv("DATABASE_URL", app)
    monkeypatch.setenv("KEYSTORE_URL", app)
    with pytest.raises(StartFailed, match="OWNER_DATABASE_URL and OWNER_KEYSTORE_URL not"):
        Run(tmp_path).databases()
    monkeypatch.setenv("OWNER_DATABASE_URL", owner)
    monkeypatch.setenv("OWNER_KEYSTORE_URL", owner)
    assert Run(tmp_path).databases() == ({"DATABASE_URL": owner, "KEYSTORE_URL": owner}, {})


def test_it_tells_the_product_s_role_no_other_password() -> None:
    server = embedded.Server(5432, "secret")
    assert "secret" in server.url("outreach", role=embedded.OWNER)
    assert "secret" not in server.url("outreach")
    assert server.url("outreach") != embedded.Server(5432, "other").url("outreach")
