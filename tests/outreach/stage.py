"""Where hostile mails are opened: the real frame on a server of its own, and a stranger's server beside it.

The frame is `outreach.views.original.frame` with all its headers, in an iframe with the attributes that the
page of a conversation gives it. The test turns off the cleaning, the policy or both, to see what each holds
by itself.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Page, Request
from playwright.sync_api import TimeoutError as TooSlow

from outreach.views import original

ROOT = Path(__file__).resolve().parents[2]
EACH_PAGE = 60
# What a page without protection would give to a frame: all that an attack wants, but our page itself.
OPEN = 'sandbox="allow-scripts allow-same-origin allow-modals allow-forms allow-popups"'
# Time for what begins by itself once all is loaded: refreshes, animations, retries.
SETTLE_MS = 250
_OWN = r"/(page/\d+-\d+/|mail/\d+/|static/mail_frame\.css|pictures/x/|favicon\.ico)"


def frame_attributes() -> str:
    """What the page of a conversation says of the frame, as it stands in its template."""
    source = (ROOT / "templates/outreach/_thread_mails.html").read_text()
    found = re.search(r'<iframe class="original"[^>]*? (sandbox="[^"]*") (referrerpolicy="[^"]*")', source)
    assert found, "the frame of an original has no sandbox any more"
    return f"{found[1]} {found[2]}"


@dataclass
class Result:
    """What a run has seen.

    `asked`: every request but those of the frame itself; `left`: those of them that no policy held back.
    `touched`: what came to the other server, and `fired` the numbers of the mails that it came from.
    """

    ran: list[int] = field(default_factory=list)
    dialogs: int = 0
    asked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    fired: set[int] = field(default_factory=set)

    @property
    def held(self) -> bool:
        """Nothing ran, moved or left."""
        return not (self.ran or self.dialogs or self.left or self.moved or self.fired)

    @property
    def quiet(self) -> bool:
        """Nothing was even tried."""
        return self.held and not self.asked and not self.touched

    def __str__(self) -> str:
        seen = {
            "ran": self.ran, "dialogs": self.dialogs, "asked": self.asked, "left": self.left,
            "moved": self.moved, "connections": self.touched,
        }  # fmt: skip
        return ", ".join(f"{name} {str(what)[:600]}" for name, what in seen.items())


class Stage:
    """Mails by number; `policy` off leaves out all headers of the frame and the sandbox."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.policy = True
        self.base = ""
        self.elsewhere = ""
        self.touched: list[str] = []

    def page(self, first: int, last: int) -> str:
        box = frame_attributes() if self.policy else OPEN
        frames = "".join(
            f'<iframe width=140 height=90 {box} src="/mail/{n}/"></iframe>' for n in range(first, last)
        )
        return f"<!doctype html><title>stage</title><body>{frames}"

    def mail(self, number: int) -> Any:
        """Every second one with its pictures shown, from where the product's own would come."""
        if number % 2:
            place = f"{self.base}/pictures/"
            return original.frame(self.mails[number], source=lambda address: f"{place}x/", place=place)
        return original.frame(self.mails[number])

    def open(self, browser: Browser, mails: list[str], *, policy: bool = True) -> Result:
        """All of these, many to a page, each in a frame of its own; `fired` numbers them from 0."""
        self.mails, self.policy = mails, policy
        self.touched.clear()
        found = Result()
        context = browser.new_context(viewport={"width": 1500, "height": 800})
        watch(context, found, re.compile(re.escape(self.base) + _OWN))
        for first in range(0, len(mails), EACH_PAGE):
            last = min(first + EACH_PAGE, len(mails))
            page = context.new_page()
            try:
                page.goto(f"{self.base}/page/{first}-{last}/", wait_until="load", timeout=120_000)
            except TooSlow:
                pass  # What it waits for is an attack's; the look tells what is there.
            page.wait_for_timeout(SETTLE_MS)
            self._look(page, first, last, found)
            page.close(run_before_unload=False)
        context.close()
        found.touched = list(self.touched)
        found.fired |= {int(n) for line in found.touched for n in re.findall(r"^GET /(\d+)/", line)}
        return found

    def _look(self, page: Page, first: int, last: int, found: Result) -> None:
        there = set()
        for frame in page.frames:
            if frame.parent_frame != page.main_frame:
                continue
            number = re.fullmatch(re.escape(self.base) + r"/mail/(\d+)/", frame.url)
            if number is None:
                found.moved.append(frame.url)
                continue
            there.add(int(number[1]))
            try:
                if frame.evaluate("window.__pwned === 1"):
                    found.ran.append(int(number[1]))
            except Error as gone:
                found.moved.append(f"{frame.url}: {gone}")
        found.moved += [f"mail {n} is not there" for n in range(first, last) if n not in there]


def watch(context: BrowserContext, found: Result, own: re.Pattern[str]) -> None:
    """Write down all that the pages of this context ask for, and every dialog."""

    def asked(request: Request) -> None:
        if not own.fullmatch(request.url):
            found.asked.append(request.url)

    def over(request: Request) -> None:
        if not own.fullmatch(request.url) and request.url.startswith(("http", "ws")):
            # By a policy; or, for the <use> of an SVG, by the browser itself: it has to be of one origin.
            why = request.failure or ""
            held = "csp" in why or "BLOCKED" in why or why == "origin"
            if not held:
                found.left.append(f"{request.url}: {request.failure or 'answered'}")

    def dismiss(dialog: Dialog) -> None:
        found.dialogs += 1
        dialog.dismiss()

    context.on("request", asked)
    context.on("requestfinished", over)
    context.on("requestfailed", over)
    context.on("dialog", dismiss)


@contextmanager
def stage() -> Iterator[Stage]:
    here = Stage()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = 200, {"Content-Type": "text/html; charset=utf-8"}, b""
            if found := re.fullmatch(r"/page/(\d+)-(\d+)/", self.path):
                body = here.page(int(found[1]), int(found[2])).encode()
            elif found := re.fullmatch(r"/mail/(\d+)/", self.path):
                answer = here.mail(int(found[1]))
                body = answer.content
                headers = dict(answer.items()) if here.policy else headers
            elif self.path == "/static/mail_frame.css":
                body = (ROOT / "static/mail_frame.css").read_bytes()
                headers = {"Content-Type": "text/css", "Cache-Control": "max-age=600"}
            else:
                status = 404
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            try:
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # The page has been closed.

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    here.base = f"http://127.0.0.1:{server.server_address[1]}"
    other = socket.create_server(("127.0.0.1", 0))
    here.elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=_listen, args=[other, here.touched], daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()
    other.close()


def _listen(other: socket.socket, touched: list[str]) -> None:
    """Somebody else's server: it writes down every connection, with its first line where one comes."""
    while True:
        try:
            line, _ = other.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=[line, touched], daemon=True).start()


def _answer(line: socket.socket, touched: list[str]) -> None:
    with line:
        line.settimeout(2)
        try:
            first = line.recv(2000).split(b"\r\n")[0].decode("latin-1")
        except OSError:
            first = ""
        touched.append(first or "a connection without a word")
        try:
            line.sendall(
                b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n"
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
        except OSError:
            pass
