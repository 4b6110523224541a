"""The calendar of days on which nothing leaves."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.templatetags.ui import plural
from outreach import holidays
from outreach.forms_holidays import CountryForm, DaysForm
from outreach.models import Holiday


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def holidays_page(request: MemberRequest) -> HttpResponse:
    """A POST that names a country takes its days, another one those that are written out."""
    may_work = request.membership.may(Role.MEMBER)
    if request.method == "POST" and not may_work:
        raise PermissionDenied("Your role here reads only.")
    by_country = "country" in request.POST
    days = DaysForm(request.POST if request.method == "POST" and not by_country else None)
    country = CountryForm(request.POST if by_country else None)
    if request.method == "POST" and _saved(request, country if by_country else days):
        return redirect("outreach:holidays", slug=request.workspace.slug)
    page = {
        # At most holidays.MOST.
        "rows": holidays.coming(),
        "days": days,
        "country": country,
        "may_work": may_work,
        "nav_on": "campaigns",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outreach/holidays.html", page, status=status)


@member(Role.MEMBER)
@require_POST
def holiday_remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Holiday, pk)
    holidays.remove(row, actor=request.user)
    messages.success(request, f"{row.name} is removed. Mails that waited for its end are asked again.")
    return redirect("outreach:holidays", slug=request.workspace.slug)


def _saved(request: MemberRequest, form: DaysForm | CountryForm) -> bool:
    if not form.is_valid():
        return False
    try:
        added = form.save(actor=request.user)
    except holidays.NotRead as no:
        form.add_error("country" if isinstance(form, CountryForm) else "days", str(no))
        return False
    if added:
        messages.success(request, f"{plural(added, 'day')} added. Nothing leaves then.")
    else:
        messages.warning(request, "Every one of these days stands in the calendar already.")
    return True
