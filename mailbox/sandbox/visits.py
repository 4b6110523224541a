"""What a recipient's mail program and browser fetch. Only addresses of this machine are ever asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import aiohttp

from mailbox.sandbox.mime import Mail
from mailbox.sandbox.settings import LOOPBACK_HOSTS

MAIL_PROGRAM = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "Accept": "image/avif,image/webp,*/*",
    "Accept-Language": "en-US,en;q=0.5",
}
BROWSER = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.9",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-User": "?1",
}
PROVIDER = {"User-Agent": "Sandbox-Mail-Provider/1.0", "Content-Type": "application/x-www-form-urlencoded"}
OPT_OUT = "/u/"


def pixel(mail: Mail) -> str:
    """The first image on this machine; '' without one."""
    return next(_local(re.findall(r"<img\b[^>]*?\bsrc\s*=\s*[\"']([^\"']+)", mail.html, re.I)), "")


def link(mail: Mail) -> str:
    """The first link on this machine that is no opt-out link."""
    return next((url for url in _links(mail) if OPT_OUT not in urlsplit(url).path), "")


def opt_out(mail: Mail) -> str:
    """The one-click address of List-Unsubscribe, else the opt-out link in the body."""
    in_header = re.findall(r"<([^<>]+)>", mail.header("List-Unsubscribe"))
    in_body = [url for url in _links(mail) if OPT_OUT in urlsplit(url).path]
    return next(_local([*in_header, *in_body]), "")


async def get(url: str, headers: dict[str, str]) -> str:
    """GET without following redirects; says what came back."""
    async with (
        _session() as session,
        session.get(url, headers=headers, allow_redirects=False, ssl=False) as answer,
    ):
        await answer.content.read(65_536)
        return f"{answer.status} {url}"


async def one_click(url: str) -> str:
    """The POST of RFC 8058."""
    async with (
        _session() as session,
        session.post(
            url, data="List-Unsubscribe=One-Click", headers=PROVIDER, allow_redirects=False, ssl=False
        ) as answer,
    ):
        await answer.content.read(65_536)
        return f"{answer.status} {url}"


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15), trust_env=False)


def _links(mail: Mail) -> Iterator[str]:
    found = re.findall(r"<a\b[^>]*?\bhref\s*=\s*[\"']([^\"']+)", mail.html, re.I)
    return _local(found or re.findall(r"https?://[^\s<>\"')\]]+", mail.text))


def _local(urls: list[str]) -> Iterator[str]:
    for url in urls:
        url = unescape(url).strip()
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        if parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK_HOSTS:
            yield url
