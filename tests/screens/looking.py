"""The walk through the demo, and what is seen at each page."""

from __future__ import annotations

import io
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.screens.kinds import MOST_OF_A_KIND, NOT_SHOWN, SIGNED_OUT, kind_of

WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
# Pixels of a picture at most, and how far it is packed.
TALLEST, WIDEST, QUALITY = 1800, 1080, 40
SETTLING_SECONDS = 45
# A dialog stands at an address of its own, too.
LINKS = "a[href], [hx-get]"
TARGETS = """all => all.map(
    one => new URL(one.getAttribute("href") || one.getAttribute("hx-get"), location).href)"""
USER, PASSWORD = "mira@fernhill.example", "outreach-demo-mira"


@dataclass
class Found:
    """What is wrong, as sentences, and the pictures that were taken: kind → its addresses' numbers."""

    faults: list[str] = field(default_factory=list)
    shown: dict[str, int] = field(default_factory=dict)


def look(url: str, folder: Path, *, only: str) -> Found:
    folder.mkdir(parents=True, exist_ok=True)
    found = Found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = _signed_in(browser, url)
        page.wait_for_timeout(SETTLING_SECONDS * 1000)
        every = _walk(page, url)
        _pictures(browser, page, url, [one for one in every if only in one[0]], folder, found)
        page.context.close()
        stranger = browser.new_context(base_url=url).new_page()
        outside = [(kind, path) for kind, path in SIGNED_OUT.items() if only in kind]
        _pictures(browser, stranger, url, outside, folder, found)
        browser.close()
    if not only:
        _write_list(folder, found)
    return found


def _signed_in(browser: Browser, url: str) -> Page:
    page = browser.new_context(base_url=url, reduced_motion="reduce").new_page()
    page.goto("/accounts/login/")
    page.get_by_label(re.compile("Email")).fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/w/**")
    return page


def _walk(page: Page, url: str) -> list[tuple[str, str]]:
    """(kind, path) of the pages that links lead to, at most MOST_OF_A_KIND of each kind."""
    here = urlsplit(page.url).path
    waiting, seen, counts = deque([here]), {here}, {kind_of(here): 1}
    every = []
    while waiting:
        path = waiting.popleft()
        answer = page.goto(path)
        kind = kind_of(urlsplit(path).path)
        if answer is None or answer.status != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        every.append((kind, path))
        for href in page.eval_on_selector_all(LINKS, TARGETS):
            clean, _ = urldefrag(href)
            target = clean.removeprefix(url)
            kind = kind_of(urlsplit(target).path) if clean.startswith(url) else ""
            plain = target not in seen and kind and kind not in NOT_SHOWN and kind not in SIGNED_OUT
            if plain and counts.get(kind, 0) < MOST_OF_A_KIND.get(kind, 1):
                seen.add(target)
                counts[kind] = counts.get(kind, 0) + 1
                waiting.append(target)
    return every


def _pictures(
    browser: Browser, page: Page, url: str, every: list[tuple[str, str]], folder: Path, found: Found
) -> None:
    page.on("pageerror", lambda error: found.faults.append(f"{page.url}: a script failed: {error}"))
    for kind, path in every:
        number = found.shown[kind] = found.shown.get(kind, 0) + 1
        name = kind.replace(":", "-").replace("_", "-") + (f"-{number}" if number > 1 else "")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(path)
            if answer is None or answer.status != 200:
                found.faults.append(f"{path}: answered {answer.status if answer else 'nothing'}")
                continue
            for scheme in SCHEMES:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.wait_for_timeout(150)
                wrong = Axe().run(page).response["violations"]
                found.faults += [
                    f"{path} at {width}, {scheme}: {each['id']}: {node['html'][:100]}"
                    for each in wrong
                    for node in each["nodes"]
                ]
                _keep(page, folder / f"{name}-{width}-{scheme}.webp", width)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.faults.append(f"{path} scrolls sideways at {width}")


def _keep(page: Page, path: Path, width: int) -> None:
    tall = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    clip = {"x": 0.0, "y": 0.0, "width": float(width), "height": float(tall)}
    shot = page.screenshot(full_page=True, clip=clip, animations="disabled")  # type: ignore[arg-type]
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)))
    picture.save(path, "WEBP", quality=QUALITY, method=6)


def _write_list(folder: Path, found: Found) -> None:
    lines = [
        "# Screens",
        "",
        "Every page of the demo at 1440 and 390 pixels, light and dark; made by `make screens`, which asks",
        "axe about each, too, and fails where one scrolls sideways.",
        "",
        "| page | 1440 light | 1440 dark | 390 light | 390 dark |",
        "|---|---|---|---|---|",
    ]
    names = sorted(path.name.removesuffix("-1440-light.webp") for path in folder.glob("*-1440-light.webp"))
    for name in names:
        links = [f"[see]({name}-{width}-{scheme}.webp)" for width in WIDTHS for scheme in SCHEMES]
        lines.append(f"| {name} | {' | '.join(links)} |")
    (folder / "README.md").write_text("\n".join(lines) + "\n")
