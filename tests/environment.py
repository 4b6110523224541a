"""The environment of the tests, set before the settings are read (`-p tests.environment` in pyproject.toml).

Starts one PostgreSQL (the wheel's, unless DATABASE_URL or OUTREACH_PG_BIN names another) and one real
redis-server for all pytest-xdist workers; each worker has its own databases, Redis number, sandbox ports and
ledger folder. Everything else that the product reads from the environment is set to fixed test values here.
"""

from __future__ import annotations

import atexit
import os
import secrets
import tempfile
from pathlib import Path

import psycopg2
import pytest

from config import embedded
from tests import prepared

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")

FIXED = {
    "SECRET_KEY": "tests-only-" + "s" * 50,
    "KEYS": "test:" + "A" * 43 + "=",
    "OUTREACH_TESTING": "true",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "PUBLIC_BASE_URL": "http://localhost:8000",
    "TRACKING_BASE_URL": "http://localhost:8000",
    "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    "STATICFILES_BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    "LOG_LEVEL": "WARNING",
    # Playwright's loop runs on the tests' thread, which Django would take for an async one.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    # Waits are short and keep the order deadline < hard limit < lease < settle (faults 3.1).
    "SEND_SPACING_SECONDS": "0",
    "SEND_SPACING_JITTER": "0",
    "POLL_SECONDS": "1",
    "POLL_IDLE_SECONDS": "1",
    # On the test's own thread, whose transaction no other sees.
    "POLL_CONCURRENCY": "1",
    "WAKE_SECONDS": "1",
    "HTTP_DEADLINE_SECONDS": "4",
    "WORKER_HARD_LIMIT_SECONDS": "6",
    "LEASE_SECONDS": "8",
    "SETTLE_SECONDS": "12",
    # Simulated recipients act within a moment; tests that need the real threshold set it.
    "SCANNER_SECONDS": "0",
}


def _start_servers() -> None:
    """Once, in the process that the person started: workers inherit the addresses."""
    folder = Path(tempfile.mkdtemp(prefix="outreach-tests-"))
    folder.chmod(0o755)
    os.environ["OUTREACH_TEST_FOLDER"] = str(folder)
    if "DATABASE_URL" not in os.environ:
        reaper = embedded.reap_postgres_with_me(folder, remove=True)
        server = embedded.start_postgres(folder, durable=False)
        # Who makes the databases and may look across; the tests then work as the product's role.
        for name, database in zip(("DATABASE_URL", "KEYSTORE_URL"), embedded.DATABASES, strict=True):
            os.environ[name] = server.url(database, role="postgres")
        os.environ["OUTREACH_TEST_APP_PASSWORD"] = server.password_of(embedded.APP)
        atexit.register(reaper.communicate)
        prepared.prepare(server)
    else:
        os.environ["OUTREACH_TEST_APP_PASSWORD"] = _roles_of(os.environ["DATABASE_URL"])
    if "REDIS_URL" not in os.environ:
        url, process = embedded.start_redis(folder)
        os.environ["REDIS_URL"] = url
        atexit.register(embedded.stop_redis, process)


def _roles_of(url: str) -> str:
    """Make the two roles on a server that was named from outside; the application role's password.

    The role of DATABASE_URL has to be a superuser: it makes databases and roles, and looks across workspaces.
    """
    password = secrets.token_hex(16)
    server = psycopg2.connect(url)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:  # type: ignore[index]
            raise embedded.EmbeddedError("the role of DATABASE_URL must be a superuser: the tests make roles")
        for role, more in ((embedded.OWNER, "CREATEDB"), (embedded.APP, "NOCREATEDB")):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            cursor.execute(
                f'{verb} ROLE "{role}" LOGIN {more} NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD %s',
                [password],
            )
    server.close()
    return password


def _own_corner() -> None:
    """What each worker has for itself."""
    number = int(WORKER.removeprefix("gw") or 0) if WORKER else 0
    corner = Path(os.environ["OUTREACH_TEST_FOLDER"]) / f"worker-{number}"
    corner.mkdir(exist_ok=True)
    for folder in ("sandbox", "static"):
        (corner / folder).mkdir(exist_ok=True)
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + f"/{number + 1}"
    http, tls = embedded.free_port(), embedded.free_port()
    os.environ.update(embedded.sandbox_environment(http, tls, corner / "sandbox"))
    os.environ["STATIC_ROOT"] = str(corner / "static")
    os.environ["CELERY_BEAT_SCHEDULE_FILENAME"] = str(corner / "beat")


os.environ.update(FIXED)
try:
    if not WORKER:
        _start_servers()
    _own_corner()
except embedded.EmbeddedError as missing:
    pytest.exit(str(missing), returncode=3)
