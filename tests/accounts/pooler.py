"""A real PgBouncer in transaction mode before the tests' server, with fewer connections than users."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from config import embedded
from tests.roles import app_url

# The package's own place is on no ordinary user's path.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def pooler(*, connections: int) -> Iterator[int]:
    """The port on which it answers for both of this worker's databases."""
    assert PROGRAM
    port = embedded.free_port()
    folder = Path(tempfile.mkdtemp(prefix="outreach-pgbouncer-"))
    at = {alias: urlsplit(app_url(alias)) for alias in ("default", "keystore")}
    databases = "\n".join(
        f"{url.path[1:]} = host={url.hostname} port={url.port} dbname={url.path[1:]}" for url in at.values()
    )
    (folder / "users").write_text(f'"{at["default"].username}" "{at["default"].password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{databases}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {folder}/users\npool_mode = transaction\n"
        f"default_pool_size = {connections}\nmax_client_conn = 200\nlogfile =\n"
    )
    # It refuses to run as root.
    who: dict[str, Any] = {"user": embedded.NOBODY, "group": embedded.NOBODY, "extra_groups": []}
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, embedded.NOBODY, embedded.NOBODY)
    process = subprocess.Popen(
        [PROGRAM, "-q", str(folder / "pgbouncer.ini")],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **(who if os.geteuid() == 0 else {}),
    )
    try:
        _wait(f"{at['default'].geturl().rsplit('@', 1)[0]}@127.0.0.1:{port}{at['default'].path}", process)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            psycopg2.connect(url).close()
            return
        except psycopg2.OperationalError:
            assert process.poll() is None, "pgbouncer has ended"
            assert time.monotonic() < until, "pgbouncer does not answer"
            time.sleep(0.1)
