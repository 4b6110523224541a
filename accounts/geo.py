"""The country of an address, only where an operator supplies a GeoIP database (decisions 25).

Country and nothing finer: a place is never looked up, so it cannot be kept by mistake.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
from typing import Any

import maxminddb
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

log = logging.getLogger(__name__)


def country_of(address: str) -> str:
    """Two capital letters; empty without a database, for a bad address, and where it is not known."""
    path = settings.GEOIP_DATABASE
    return _look_up(path, address) if path and address else ""


@functools.lru_cache(maxsize=4096)
def _look_up(path: str, address: str) -> str:
    reader = _reader(path)
    try:
        ipaddress.ip_address(address)
        found = reader.get(address) if reader else None
    except (ValueError, maxminddb.InvalidDatabaseError):
        return ""
    country = found.get("country") if isinstance(found, dict) else None
    code = country.get("iso_code") if isinstance(country, dict) else None
    return code if isinstance(code, str) and len(code) == 2 and code.isalpha() and code.isupper() else ""


@functools.cache
def _reader(path: str) -> maxminddb.Reader | None:
    """Opened once per process; a file that has gone bad costs the country, never the request."""
    try:
        return maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        log.warning("the GeoIP database does not open: %s", type(error).__name__)
        return None


@register()
def geoip_database(**_: Any) -> list[CheckMessage]:
    """A database that is named must open: a process does not start with a wrong path."""
    path = settings.GEOIP_DATABASE
    if not path or _reader(path) is not None:
        return []
    return [Error("GEOIP_DATABASE names a file that does not open as an MMDB database", id="outreach.E029")]
