"""A campaign's settings: its name, its mailbox, when it may send, what it counts."""

from __future__ import annotations

import uuid
import zoneinfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import holidays
from outreach.forms_campaigns import SettingsForm
from outreach.models import Campaign
from outreach.views.campaigns import frame
from outreach.views.forecast import ahead_of
from outreach.window import zone_of


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_settings(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    rows = Campaign.objects.select_related("mailbox", "project")
    row = own_or_404(rows, pk)
    form = SettingsForm(request.POST or None, campaign=row)
    if request.method == "POST" and form.is_valid():
        form.save(actor=request.user)
        messages.success(request, "Settings saved. Mails that wait follow them from now on.")
        return redirect("outreach:campaign_settings", slug=request.workspace.slug, pk=pk)
    page = {
        **frame(request, row),
        "form": form,
        "zones": sorted(zoneinfo.available_timezones()),
        "ahead": ahead_of(row),
        "resting": holidays.coming().count(),
        "there": f"{clock.now().astimezone(zone_of(row.timezone)):%a %H:%M}",
    }
    return render(request, "outreach/campaign_settings.html", page, status=422 if form.errors else 200)
