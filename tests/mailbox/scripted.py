"""A loopback server that misbehaves to order and counts what it was handed: for the transport's tests."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Scripted:
    """`mode` says how each request ends; `posted` counts bodies taken, `opened` connections."""

    mode: str = "ok"
    answer: bytes = b'{"id": "m1", "threadId": "t1", "message": {"id": "m0", "threadId": "t1"}}'
    delay: float = 0.0
    posted: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    opened: int = 0
    busy: int = 0
    most_busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    listener: socket.socket = field(default_factory=socket.socket)

    def __post_init__(self) -> None:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(32)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.opened += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            with peer, peer.makefile("rb") as lines:
                while self._request(peer, lines.readline().decode().strip(), lines):
                    pass
        except OSError:
            pass

    def _request(self, peer: socket.socket, first: str, lines: object) -> bool:
        if not first:
            return False
        length = 0
        while line := lines.readline().decode().strip():  # type: ignore[attr-defined]
            self.headers.append(line)
            name, _, value = line.partition(":")
            length = int(value) if name.lower() == "content-length" else length
        lines.read(length)  # type: ignore[attr-defined]
        with self.lock:
            self.posted.append(first)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        time.sleep(self.delay)
        with self.lock:
            self.busy -= 1
        return self._respond(peer)

    def _respond(self, peer: socket.socket) -> bool:
        if self.mode == "drop":
            return False
        if self.mode == "hang":
            time.sleep(3)
            return False
        if self.mode == "drip":
            for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 40:
                peer.sendall(bytes([letter]))
                time.sleep(0.1)
            return False
        status, extra, body = {
            "ok": (200, "", self.answer),
            "503": (503, "", b"{}"),
            "401": (401, "", b"{}"),
            "redirect": (307, f"Location: {self.url}/elsewhere\r\n", b""),
            "html": (403, "", b"<html>a proxy's page</html>"),
            "truncated": (200, "", self.answer),
        }[self.mode]
        claimed = len(body) + (50 if self.mode == "truncated" else 0)
        lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {claimed}"]
        head = "\r\n".join(lines) + f"\r\n{extra}\r\n"
        peer.sendall(head.encode() + body)
        return self.mode != "truncated"
