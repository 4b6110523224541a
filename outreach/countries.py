"""Countries as people write them in lists: two letters, or a name in one of a few languages."""

from __future__ import annotations

_NAMES = {
    "AT": "austria österreich autriche", "AU": "australia", "BE": "belgium belgien belgique",
    "BG": "bulgaria", "BR": "brazil brasil", "CA": "canada kanada", "CH": "switzerland schweiz suisse",
    "CY": "cyprus", "CZ": "czechia tschechien", "DE": "germany deutschland allemagne alemania",
    "DK": "denmark dänemark danmark", "EE": "estonia", "ES": "spain spanien españa espagne",
    "FI": "finland finnland", "FR": "france frankreich francia", "GB": "uk england scotland wales britain",
    "GR": "greece griechenland", "HR": "croatia kroatien", "HU": "hungary ungarn", "IE": "ireland irland",
    "IN": "india indien", "IS": "iceland island", "IT": "italy italien italia italie", "JP": "japan",
    "LI": "liechtenstein", "LT": "lithuania litauen", "LU": "luxembourg luxemburg", "LV": "latvia",
    "MT": "malta", "MX": "mexico méxico mexiko", "NL": "netherlands niederlande holland",
    "NO": "norway norwegen norge", "NZ": "neuseeland", "PL": "poland polen polska pologne",
    "PT": "portugal", "RO": "romania rumänien", "SE": "sweden schweden sverige", "SI": "slovenia",
    "SK": "slovakia slowakei", "US": "usa america",
}  # fmt: skip
_LONG = {
    "united kingdom": "GB",
    "great britain": "GB",
    "united states": "US",
    "united states of america": "US",
    "new zealand": "NZ",
    "czech republic": "CZ",
    "the netherlands": "NL",
    "el": "GR",
    "uk": "GB",
}
_BY_NAME = {name: code for code, names in _NAMES.items() for name in names.split()} | _LONG


def country_code(text: str) -> str:
    """Two letters where the name is known; else the text as it is, for the check to refuse."""
    plain = " ".join(text.strip().lower().replace(".", "").split())
    return _BY_NAME.get(plain, text.strip())
