"""Figures as text for Prometheus (text exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.staff.figures import Family, Value

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family], values: Iterable[Value]) -> str:
    """Every family with its help and type, though it has no value now."""
    by_family: dict[str, list[Value]] = {}
    for value in values:
        by_family.setdefault(value.family.name, []).append(value)
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {_help(family.help)}")
        lines.append(f"# TYPE {family.name} {'counter' if family.only_grows else 'gauge'}")
        lines += [
            f"{family.name}{_labels(value)} {_number(value.value)}"
            for value in by_family.get(family.name, [])
            if value.value is not None
        ]
    return "\n".join(lines) + "\n"


def _labels(value: Value) -> str:
    if not value.labels:
        return ""
    named = zip(value.family.labels, value.labels, strict=True)
    return "{" + ",".join(f'{name}="{_quoted(text)}"' for name, text in named) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
