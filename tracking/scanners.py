"""Which class of visitor made a request (threats 3). The request's evidence is read and not kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tracking.models import Kind, Source

_MACHINES = re.compile(
    r"""bot\b|crawl|spider|scan|headless|phantomjs|selenium|puppeteer|playwright
    |curl|wget|libwww|python|aiohttp|httpx|okhttp|go-http|java/|ruby|perl|php/|node-fetch|axios|urlgrabber
    |apache-httpclient|winhttp|powershell|restsharp|dart:io
    |proofpoint|mimecast|barracuda|safelinks|symantec|messagelabs|forcepoint|websense|zscaler|cloudmark
    |fortinet|fortiguard|sophos|trendmicro|trend\ micro|ironport|cisco|fireeye|trellix|vade|avanan|abnormal
    |virustotal|urlscan|phishtank|bitdefender|kaspersky|eset|mcafee|checkpoint|spamtitan
    |facebookexternalhit|whatsapp|slack-imgproxy|skypeuripreview|bingpreview|preview|existence\ discovery
    |monitor|probe|validator|linkcheck|prefetch""",
    re.IGNORECASE | re.VERBOSE,
)
_IMAGE_PROXIES = re.compile(r"googleimageproxy|yahoomailproxy|imageproxy|mailproxy|ggpht", re.IGNORECASE)
# What Apple's Mail Privacy Protection calls itself: the bare beginning of every browser's name.
_APPLE = re.compile(r"mozilla/5\.0", re.IGNORECASE)
_BROWSERS = re.compile(r"mozilla/5\.0 \(.+\).*(?:gecko|applewebkit|trident)", re.IGNORECASE)
_PREFETCH_HEADERS = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")
_PREFETCH = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)


@dataclass(frozen=True)
class Visit:
    """What is looked at: method, headers, and the seconds since the provider accepted the mail."""

    method: str
    headers: Mapping[str, str]
    after: float | None


def opts_out_of_counting(headers: Mapping[str, str]) -> bool:
    """Do Not Track or Global Privacy Control: nothing is counted (threats 3, rule 3)."""
    return headers.get("DNT", "").strip() == "1" or headers.get("Sec-GPC", "").strip() == "1"


def classify(kind: Kind, visit: Visit, *, soonest: float) -> Source:
    """`soonest`: a visit earlier than so many seconds after acceptance is a gateway's."""
    agent = visit.headers.get("User-Agent", "").strip()
    if visit.method != "GET" or not agent or _is_prefetch(visit.headers):
        return Source.SCANNER
    # The proxies say who they are, at any time; speed tells nothing more about them.
    if kind == Kind.OPENED and _IMAGE_PROXIES.search(agent):
        return Source.PROXY
    if kind == Kind.OPENED and _APPLE.fullmatch(agent) and "Referer" not in visit.headers:
        return Source.PRIVACY
    if _MACHINES.search(agent) or (visit.after is not None and visit.after < soonest):
        return Source.SCANNER
    if kind == Kind.OPENED:
        return Source.HUMAN
    if not _BROWSERS.search(agent):
        return Source.SCANNER
    return Source.HUMAN if _is_navigation(visit.headers) else Source.PROXY


def _is_prefetch(headers: Mapping[str, str]) -> bool:
    return any(_PREFETCH.search(headers.get(name, "")) for name in _PREFETCH_HEADERS)


def _is_navigation(headers: Mapping[str, str]) -> bool:
    """A browser's own word that a person's tab went there; programs that follow links do not say it."""
    return (
        headers.get("Sec-Fetch-Mode", "") == "navigate"
        and headers.get("Sec-Fetch-Dest", "document") == "document"
    )
