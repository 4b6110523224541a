"""A browser for the benches: cookies, forms, and an address that the proxy in front would report."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    to: str
    seconds: float


@dataclass
class Visitor:
    """One browser at one address; `port` is the web server's on this machine."""

    port: int
    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, "", headers)

    def sign_in(self, email: str, password: str) -> Answer:
        """Fill the sign-in form in; the form itself is fetched once."""
        if not self.token:
            found = TOKEN.search(self.get("/accounts/login/").text)
            if found is None:
                raise SystemExit("the sign-in page holds no form")
            self.token = found.group(1)
        words = {"csrfmiddlewaretoken": self.token, "login": email, "password": password}
        return self._ask(
            "POST",
            "/accounts/login/",
            urlencode(words),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )

    def forget_session(self) -> None:
        """As after a sign-out: what makes a browser a known one stays."""
        self.cookies.pop("outreach_session", None)
        self.token = ""

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> Answer:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(
                method,
                path,
                body.encode() or None,
                {
                    **headers,
                    "Host": f"localhost:{self.port}",
                    "X-Forwarded-For": self.address,
                    "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
                },
            )
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
        to = urlsplit(answer.getheader("Location") or "").path
        return Answer(answer.status, text, to, time.monotonic() - began)
