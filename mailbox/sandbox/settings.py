"""What can be set: from the environment at start, and by the control API while running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mailbox.sandbox.weather import WEATHERS

GOOGLE_CLIENT = ("sandbox-google", "sandbox-google-secret")
MICROSOFT_CLIENT = ("sandbox-microsoft", "sandbox-microsoft-secret")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingsRefused(Exception):
    """A setting that cannot be used; the text says which and why."""


@dataclass(frozen=True)
class Traits:
    """Behaviours of the real services that nobody here could check; each has two positions.

    Lags are the longest wait in seconds; each mail draws its own share of it.
    """

    rewrite_message_id: bool = (
        True  # Gmail drops our Message-ID; hostile: Graph changes its own at the send too
    )
    rewrite_graph_message_id: bool = False
    strip_headers: bool = False
    index_lag: float = 0
    move_lag: float = 0
    second_send_mails: bool = False
    id_changes_on_send: bool = False
    retry_after_on_accept: bool = False


PROFILES = {
    "lenient": Traits(),
    "hostile": Traits(
        rewrite_graph_message_id=True,
        strip_headers=True,
        index_lag=120,
        move_lag=300,
        second_send_mails=True,
        id_changes_on_send=True,
        retry_after_on_accept=True,
    ),
}


@dataclass(frozen=True)
class Settings:
    """`pace` is the seconds between two acts of a simulated recipient; units are Gmail's quota units.

    Of pushes, the shares that are lost and doubled, and the seconds that each is late, and up to how many
    more at random. `push_endpoint` is what an operator enters at Pub/Sub, with the audience of its tokens.
    Units per user-minute and per project-minute; at Graph submits a minute and mailbox, requests per ten
    minutes, app and mailbox, and requests at once. 0 or `meter` off: counted, never refused.
    """

    directory: Path
    http_port: int = 8801
    tls_port: int = 8802
    pace: float = 3.0
    latency_ms: float = 0
    token_seconds: int = 3600
    units_per_minute: int = 6000
    project_units_per_minute: int = 1_200_000
    graph_mails_per_minute: int = 30
    graph_requests_per_ten_minutes: int = 10_000
    meter: bool = True
    concurrency: int = 4
    weather: str = "calm"
    seed: int = 7
    push_drop: float = 0
    push_double: float = 0
    push_delay: float = 0
    push_shuffle: float = 0
    push_endpoint: str = ""
    push_audience: str = ""
    redirect_hosts: frozenset[str] = LOOPBACK_HOSTS
    profile: str = "lenient"
    traits: Traits = field(default_factory=Traits)

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.tls_port}"


OPEN_NAMES = frozenset(
    [
        "pace",
        "latency_ms",
        "token_seconds",
        "units_per_minute",
        "project_units_per_minute",
        "graph_mails_per_minute",
        "graph_requests_per_ten_minutes",
        "meter",
        "concurrency",
        "seed",
        "push_drop",
        "push_double",
        "push_delay",
        "push_shuffle",
    ]
)


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read SANDBOX_* and DEBUG. Raises SettingsRefused."""
    if environ.get("DEBUG", "").strip().lower() not in {"1", "true", "yes", "on"}:
        raise SettingsRefused(
            "The sandbox runs only where DEBUG is true. It is never part of a production start."
        )
    directory = environ.get("SANDBOX_DIR", "")
    if not directory:
        raise SettingsRefused("SANDBOX_DIR is not set: name the folder for the ledger and the certificates.")
    settings = Settings(
        directory=Path(directory),
        http_port=int(_number(environ, "SANDBOX_HTTP_PORT", 8801)),
        tls_port=int(_number(environ, "SANDBOX_TLS_PORT", 8802)),
        token_seconds=int(_number(environ, "SANDBOX_TOKEN_SECONDS", 3600)),
        push_endpoint=environ.get("SANDBOX_PUSH_ENDPOINT", ""),
        push_audience=environ.get("SANDBOX_PUSH_AUDIENCE", ""),
        redirect_hosts=LOOPBACK_HOSTS | set(environ.get("SANDBOX_REDIRECT_HOSTS", "").split()),
    )
    return changed(
        settings,
        {
            "profile": environ.get("SANDBOX_PROFILE") or "lenient",
            "weather": environ.get("SANDBOX_WEATHER") or "calm",
            "seed": int(_number(environ, "SANDBOX_SEED", 7)),
            "pace": _number(environ, "SANDBOX_PACE", 3),
            "latency_ms": _number(environ, "SANDBOX_LATENCY_MS", 0),
        },
    )


def changed(settings: Settings, wish: Mapping[str, Any]) -> Settings:
    """Settings with some values replaced; trait names are accepted too. Raises SettingsRefused."""
    traits = settings.traits
    plain: dict[str, Any] = {}
    if "profile" in wish:
        if wish["profile"] not in PROFILES:
            raise SettingsRefused(f"SANDBOX_PROFILE is {wish['profile']!r}; it can be hostile or lenient.")
        traits = PROFILES[wish["profile"]]
        plain["profile"] = wish["profile"]
    if "weather" in wish:
        if wish["weather"] not in WEATHERS:
            raise SettingsRefused(f"SANDBOX_WEATHER is {wish['weather']!r}; it can be {', '.join(WEATHERS)}.")
        plain["weather"] = wish["weather"]
    trait_names = {f.name for f in fields(Traits)}
    for name, value in wish.items():
        if name in ("profile", "weather"):
            continue
        if name not in trait_names | OPEN_NAMES or not isinstance(value, (bool, int, float)) or value < 0:
            raise SettingsRefused(f"{name} cannot be set to {value!r}.")
        if name in trait_names:
            wanted: dict[str, Any] = {name: value}
            traits = replace(traits, **wanted)
        else:
            plain[name] = value
    return replace(settings, traits=traits, **plain)


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "").strip()
    try:
        value = float(text) if text else float(default)
    except ValueError:
        value = -1
    if value < 0:
        raise SettingsRefused(f"{name} is {text!r}; it must be a number of 0 or more.")
    return value
