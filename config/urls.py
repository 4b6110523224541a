"""All addresses."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("mailbox.urls")),
    path("", include("tracking.urls")),
    path("", include("outreach.urls")),
]
