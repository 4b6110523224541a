"""Domains that many unrelated people share: nobody there speaks for "my whole company"."""

from __future__ import annotations

# fmt: off
_SHARED = frozenset([
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com",
    "ymail.com", "rocketmail.com", "aol.com", "icloud.com", "me.com", "mac.com", "proton.me",
    "protonmail.com", "pm.me", "tutanota.com", "tuta.io", "gmx.net", "gmx.de", "gmx.com", "gmx.at",
    "gmx.ch", "web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "mail.com", "mail.ru",
    "inbox.ru", "list.ru", "bk.ru", "yandex.ru", "yandex.com", "zoho.com", "fastmail.com", "hey.com",
    "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "libero.it", "virgilio.it", "tin.it",
    "alice.it", "telefonica.net", "terra.es", "btinternet.com", "sky.com", "virginmedia.com",
    "bluewin.ch", "telenet.be", "skynet.be", "ziggo.nl", "kpnmail.nl", "home.nl", "comcast.net",
    "verizon.net", "att.net", "sbcglobal.net", "cox.net", "charter.net", "shaw.ca", "rogers.com",
    "bigpond.com", "optusnet.com.au", "xtra.co.nz", "qq.com", "163.com", "126.com", "sina.com",
    "naver.com", "daum.net", "hanmail.net", "rediffmail.com", "uol.com.br", "bol.com.br", "seznam.cz",
    "centrum.cz", "wp.pl", "onet.pl", "o2.pl", "interia.pl", "abv.bg", "ukr.net",
])
# Yahoo, Microsoft and others use one name under many endings.
_SHARED_NAMES = frozenset(["yahoo", "hotmail", "outlook", "live", "gmx", "yandex", "aol"])
# fmt: on


def company_domain(address: str) -> str:
    """The domain of an address, or '' where it stands for no company."""
    domain = address.strip().lower().rpartition("@")[2]
    shared = domain in _SHARED or domain.partition(".")[0] in _SHARED_NAMES
    return "" if shared or "." not in domain else domain
