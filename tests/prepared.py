"""Databases that are migrated once and then copied: a migration of both takes as long as a hundred tests.

What `migrate` made is kept as a dump beside other temporary files, under a name made of everything that it
depends on; each process of a run copies the template that was filled from it, and `migrate` then finds
nothing left to do. A dump that is missing is made anew; none is ever changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2
from psycopg2 import sql

from config import embedded

ROOT = Path(__file__).resolve().parents[1]
# Alias of the database → its template.
TEMPLATES = {"default": "template_outreach", "keystore": "template_keystore"}
VARIABLE = "OUTREACH_TEST_TEMPLATES"
# The newest stay: who works on two branches in turn keeps both.
MOST_KEPT = 6


def prepare(server: embedded.Server) -> None:
    """Fill both templates in a server of our own."""
    folder = _folder()
    dumps = {alias: folder / f"{alias}-{_key()}.sql" for alias in TEMPLATES}
    _create(server)
    if all(dump.exists() for dump in dumps.values()):
        _at_once([_psql(server, alias, dump) for alias, dump in dumps.items()])
        for dump in dumps.values():
            os.utime(dump)
    else:
        _at_once([_migrate(server, alias) for alias in TEMPLATES])
        drafts = {alias: dump.with_suffix(f".{os.getpid()}") for alias, dump in dumps.items()}
        _at_once([_dump(server, alias, draft) for alias, draft in drafts.items()])
        for alias, draft in drafts.items():
            draft.rename(dumps[alias])
    _forget(folder)
    os.environ[VARIABLE] = "1"


def _key() -> str:
    """Of the migrations, of what else shapes a table or a wall, and of the versions of what is installed."""
    found = hashlib.sha256()
    files = [*ROOT.glob("*/migrations/*.py"), *(ROOT / "accounts" / "walls").glob("*.py")]
    files += [*ROOT.glob("*/models/*.py"), *ROOT.glob("*/models.py"), *(ROOT / "requirements").glob("*.txt")]
    files += [ROOT / "config" / "embedded.py", ROOT / "config" / "settings.py", Path(__file__)]
    for file in sorted(files):
        found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    found.update(str(embedded.postgres_bin()).encode())
    return found.hexdigest()[:24]


def _folder() -> Path:
    """Of this user alone: what lies in it becomes the database of the tests."""
    folder = Path(tempfile.gettempdir()) / f"outreach-prepared-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        return Path(tempfile.mkdtemp(prefix="outreach-prepared-"))
    return folder


def _forget(folder: Path) -> None:
    old = sorted(folder.glob("*.sql"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in old[MOST_KEPT * len(TEMPLATES) :]:
        file.unlink(missing_ok=True)


def _create(server: embedded.Server) -> None:
    connection = psycopg2.connect(server.url("postgres", role="postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name in TEMPLATES.values():
            wanted = sql.SQL("CREATE DATABASE {} OWNER {}")
            cursor.execute(wanted.format(sql.Identifier(name), sql.Identifier(embedded.OWNER)))
    connection.close()


def _migrate(server: embedded.Server, alias: str) -> subprocess.Popen[str]:
    urls = {
        name: server.url(TEMPLATES[other], role=embedded.OWNER)
        for name, other in (("DATABASE_URL", "default"), ("KEYSTORE_URL", "keystore"))
    }
    # Redis is not asked for anything by a migration.
    return _start(
        [sys.executable, "-W", "ignore", "manage.py", "migrate", "--database", alias, "--verbosity", "0"],
        {"REDIS_URL": "redis://127.0.0.1:1/0", **urls},
    )


def _dump(server: embedded.Server, alias: str, to: Path) -> subprocess.Popen[str]:
    program = embedded.postgres_bin() / "pg_dump"
    return _start([str(program), "-f", str(to), "-d", server.url(TEMPLATES[alias], role="postgres")])


def _psql(server: embedded.Server, alias: str, dump: Path) -> subprocess.Popen[str]:
    program = embedded.postgres_bin() / "psql"
    address = server.url(TEMPLATES[alias], role="postgres")
    return _start([str(program), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f", str(dump), "-d", address])


def _start(command: list[str], more: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _at_once(running: list[subprocess.Popen[str]]) -> None:
    for process in running:
        said, _ = process.communicate()
        if process.returncode:
            raise embedded.EmbeddedError(f"the templates of the tests could not be made:\n{said[-2000:]}")
