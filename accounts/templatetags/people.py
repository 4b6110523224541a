"""Filters of the person's pages and mails: a browser's kind, a country, options for a key."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder

from accounts.devices import kind_of
from accounts.geo import country_of

register = template.Library()
register.filter("browser_kind", kind_of)
register.filter("country", country_of)


@register.filter
def as_json(value: Any) -> str:
    """For a data attribute: the template escapes it."""
    return json.dumps(value, cls=DjangoJSONEncoder)
