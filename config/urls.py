"""All addresses."""

from django.urls import include, path

# The web process starts tasks too: it needs the application that knows the broker.
import config.celery  # noqa: F401

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("mailbox.urls")),
    path("", include("tracking.urls")),
    path("", include("outreach.urls")),
    path("", include("config.api")),
]
