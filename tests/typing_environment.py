"""A mypy plugin that does one thing: it sets what config/settings.py insists on, so that types can be checked
on a machine without a database. It stands before the Django plugin, which imports the settings."""

import os

from mypy.plugin import Plugin

for name, value in {
    "SECRET_KEY": "types-only",
    "KEYS": "types:" + "A" * 43 + "=",
    "DATABASE_URL": "postgres://types@127.0.0.1:1/outreach",
    "KEYSTORE_URL": "postgres://types@127.0.0.1:1/outreach_keys",
}.items():
    os.environ.setdefault(name, value)


def plugin(_version: str) -> type[Plugin]:
    """What mypy asks a plugin for."""
    return Plugin
