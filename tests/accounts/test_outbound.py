"""The outbound door: what it reaches, what it refuses, and no way around (threats T21)."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import transaction
from django.test import override_settings

from accounts import checks, outbound
from accounts.outbound import Purpose, Refused, Unreachable, get, public_address

BIG = 200_000


@dataclass
class Place:
    """A server of strangers on this machine: what it was asked, and with which headers."""

    port: int
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def place() -> Iterator[Place]:
    here = Place(0)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(f"{self.headers['Host']}{self.path}")
            here.headers.append({name.lower(): value for name, value in self.headers.items()})
            start, _, rest = self.path.partition("?")
            if start == "/to":
                self.send_response(302)
                self.send_header("Location", rest)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(404 if start == "/none" else 200)
            self.send_header("Content-Type", "image/png")
            if start == "/packed":
                self.send_header("Content-Encoding", "gzip")
            if start != "/endless":
                self.send_header("Content-Length", str(BIG if start == "/big" else 4))
            self.end_headers()
            try:
                if start == "/drip":
                    for _ in range(4):
                        time.sleep(0.4)
                        self.wfile.write(b"x")
                elif start == "/endless":
                    for _ in range(100):
                        self.wfile.write(b"x" * 10_000)
                else:
                    self.wfile.write(b"x" * (BIG if start == "/big" else 4))
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    here.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = dict.fromkeys(("pics.example", "other.example"), f"127.0.0.1:{here.port}")
    names["inside.example"] = f"127.0.0.2:{here.port}"
    with override_settings(OUTBOUND_NAMES=names, OUTBOUND_ALLOW=["127.0.0.1"]):
        yield here
    server.shutdown()
    server.server_close()


def fetch(url: str, *, limit: int = 100_000, seconds: float = 5.0) -> outbound.Answer:
    return get(url, purpose=Purpose.PICTURE, accept="image/png", limit=limit, seconds=seconds)


def test_it_asks_as_nobody_in_particular(place: Place) -> None:
    assert fetch("http://pics.example/a?b=1").body == b"xxxx"
    assert place.asked == ["pics.example/a?b=1"]
    assert set(place.headers[0]) == {"host", "accept", "accept-encoding", "user-agent", "connection"}
    assert place.headers[0]["accept-encoding"] == "identity"


def test_it_writes_down_each_call_without_path_or_query(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "outreach.outbound")
    fetch("http://pics.example/to?http://other.example/secret-path?who=brisa")
    with pytest.raises(Refused):
        fetch("http://inside.example/secret-path")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert "purpose=picture host=pics.example address=127.0.0.1" in lines[0]
    assert "outcome=200" in lines[1]
    assert "outcome=refused" in lines[2]
    assert not any("secret" in line or "brisa" in line for line in lines)


def test_it_follows_three_redirects_and_no_fourth(place: Place) -> None:
    hops = "http://other.example/to?" * 2 + "http://pics.example/a"
    assert fetch(f"http://pics.example/to?{hops}").body == b"xxxx"
    with pytest.raises(Refused):
        fetch(f"http://pics.example/to?http://pics.example/to?{hops}")


@pytest.mark.parametrize(
    "target",
    ["http://inside.example/", "http://127.0.0.2/", "http://169.254.169.254/latest/", "file:///etc/passwd",
     "http://[::1]/", "ftp://pics.example/", "http://2130706433/", "gopher://pics.example/",
     "//inside.example/"],
)  # fmt: skip
def test_it_checks_each_hop_anew(place: Place, target: str) -> None:
    with pytest.raises(Refused):
        fetch(f"http://pics.example/to?{target}")
    assert len(place.asked) == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://017700000001/",
     "http://0/", "http://0.0.0.0/", "http://10.0.0.1/", "http://172.16.3.4/", "http://192.168.1.1/",
     "http://100.64.0.1/", "http://169.254.169.254/", "http://169.254.170.2/", "http://192.0.0.192/",
     "http://198.18.0.1/", "http://192.0.2.1/", "http://224.0.0.1/", "http://255.255.255.255/",
     "http://240.0.0.1/", "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/",
     "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001::1]/",
     "http://[fc00::1]/", "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
     "http://[ff02::1]/", "http://[2001:db8::1]/", "http://[::127.0.0.1]/", "http://localhost/",
     "http://localhost./", "http://a.localhost/", "http://metadata.google.internal/", "http://printer.local/",
     "http://router/", "http://pics.example@127.0.0.1/", "http://user:pw@pics.example/",
     "http://pics.example:22/", "http://pics.example:6379/", "https://pics.example:80/", "ftp://pics.example/",
     "file:///etc/passwd", "gopher://pics.example/", "http:///", "http://", "", "//pics.example/",
     "http://pics.example\\@127.0.0.1/", "http://pics.example /", "http://pics.example/\r\nX: y",
     "http://pics.example/\x00", "http://p\u0131cs.example/", "http://pics.example:99999/", "http://[::1/",
     "http://pics..example/", "javascript:alert(1)", "data:image/png;base64,AA", "http://%31%32%37.0.0.1/",
     "http://1.2.3.4.5/", "http://0x7f.example.0x1/", "http://127.0.0.1./"],
)  # fmt: skip
def test_it_refuses_what_is_no_public_place(url: str) -> None:
    """Without any name or address allowed, as in production."""
    with override_settings(OUTBOUND_NAMES={}, OUTBOUND_ALLOW=[]), pytest.raises(Refused):
        fetch(url)


def test_it_refuses_a_name_of_which_one_address_is_ours(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "_ask_dns", lambda host, seconds: ["127.0.0.1", "10.0.0.1"])
    with pytest.raises(Refused):
        fetch("http://split.example/")
    assert place.asked == []


def test_it_connects_to_the_address_that_it_has_checked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers otherwise the second time is asked once only."""
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    asked: list[str] = []

    def ask(host: str, seconds: float) -> list[str]:
        asked.append(host)
        return next(answers)

    connected: list[tuple[str, int]] = []
    real = socket.create_connection

    def connect(where: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(where)
        return real(("127.0.0.1", place.port), timeout)

    monkeypatch.setattr(outbound, "_ask_dns", ask)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert fetch("http://rebinds.example/a").body == b"xxxx"
    assert (asked, connected) == (["rebinds.example"], [("127.0.0.1", 80)])


@pytest.mark.parametrize(("path", "limit"), [("big", BIG - 1), ("endless", 50_000)])
def test_it_takes_no_more_than_it_was_told(place: Place, path: str, limit: int) -> None:
    with pytest.raises(Refused, match="too large"):
        fetch(f"http://pics.example/{path}", limit=limit)


def test_it_waits_no_longer_than_it_was_told(place: Place) -> None:
    """However slowly it drips: each byte alone comes in time."""
    start = time.monotonic()
    with pytest.raises(Unreachable):
        fetch("http://pics.example/drip", seconds=0.7)
    assert time.monotonic() - start < 1.4
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        names = {"silent.example": f"127.0.0.1:{silent.getsockname()[1]}"}
        with override_settings(OUTBOUND_NAMES=names), pytest.raises(Unreachable):
            fetch("https://silent.example/", seconds=0.5)


def test_it_says_what_did_not_come(place: Place) -> None:
    with pytest.raises(Unreachable):
        fetch("http://pics.example/none")
    with pytest.raises(Refused):
        fetch("http://pics.example/packed")


def certificate(folder: Path, name: str) -> Path:
    """A certificate for `name` that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_it_asks_for_a_certificate_of_the_name_and_not_of_the_address(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, "pics.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    class Plain(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = dict.fromkeys(("pics.example", "other.example"), f"127.0.0.1:{server.server_address[1]}")
    with override_settings(OUTBOUND_NAMES=names):
        with pytest.raises(Unreachable, match="SSLCert"):  # nobody vouches for it
            fetch("https://pics.example/")
        monkeypatch.setattr(outbound, "_context", lambda: ssl.create_default_context(cafile=str(path)))
        assert fetch("https://pics.example/").body == b"ok"
        with pytest.raises(Unreachable, match="SSLCert"):
            fetch("https://other.example/")
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"])
def test_it_knows_public_addresses(address: str) -> None:
    assert public_address(address)


@pytest.mark.parametrize("names", [{"OUTBOUND_NAMES": {"a": "127.0.0.1"}}, {"OUTBOUND_ALLOW": ["127.0.0.1"]}])
def test_it_does_not_start_in_production_with_a_way_around(names: dict[str, Any]) -> None:
    with override_settings(DEBUG=False, **names):
        assert [fault.id for fault in checks.outbound_goes_out()] == ["outreach.E009"]
    with override_settings(DEBUG=True, **names):
        assert checks.outbound_goes_out() == []
    with override_settings(DEBUG=False, OUTBOUND_NAMES={}, OUTBOUND_ALLOW=[]):
        assert checks.outbound_goes_out() == []


@pytest.mark.django_db(transaction=True)
def test_it_goes_out_with_no_transaction_open(place: Place) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        fetch("http://pics.example/a")
    assert place.asked == []
    assert fetch("http://pics.example/a").body == b"xxxx"
