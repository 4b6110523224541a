"""Figures of the installation: declared once, measured by whoever registers, shown to people and Prometheus.

A figure counts rows or seconds. Its labels are words of our own: a provider, a state, a queue, a window of
time; never an address, a name or an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Family:
    """A metric. `name` is Prometheus's and ends in its unit, or in `_total` where it only grows; `title` and
    `act` are for people.

    `act` says what to do when it is high; `labels` name the labels that each of its values has.
    """

    name: str
    group: str
    title: str
    help: str
    act: str
    labels: tuple[str, ...] = ()

    @property
    def is_time(self) -> bool:
        return self.name.endswith("_seconds")

    @property
    def only_grows(self) -> bool:
        """Until it begins anew at 0, which whoever reads it has to bear."""
        return self.name.endswith("_total")


@dataclass(frozen=True)
class Value:
    """One reading of a family. `labels` in the family's order. None: nothing is there to be measured."""

    family: Family
    value: float | None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Minute:
    """Mails handed over in one minute; `ago` 0 is the one under way."""

    ago: int
    mails: int


@dataclass(frozen=True)
class Reading:
    """What a source knows now."""

    values: list[Value] = field(default_factory=list)
    minutes: list[Minute] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    families: tuple[Family, ...]
    read: Callable[[], Reading]


_sources: list[Source] = []


def register(source: Source) -> None:
    """Once or again. A name that another source has, or that does not fit, stops the start."""
    if source in _sources:
        return
    taken = {family.name for known in _sources for family in known.families}
    for family in source.families:
        if family.name in taken or not family.name.startswith("outreach_"):
            raise ValueError(f"{family.name} is taken, or does not begin with outreach_")
    _sources.append(source)


def families() -> list[Family]:
    return [family for source in _sources for family in source.families]


def read() -> Reading:
    """Every source, one after the other."""
    found = Reading()
    for source in _sources:
        one = source.read()
        found.values.extend(one.values)
        found.minutes.extend(one.minutes)
    return found


def values_of(family: Family, counts: Mapping[tuple[str, ...], float | None]) -> Iterable[Value]:
    """One value for each set of labels, in their order."""
    for labels in sorted(counts):
        if len(labels) != len(family.labels):
            raise ValueError(f"{family.name} has the labels {family.labels}")
        yield Value(family, counts[labels], labels)
