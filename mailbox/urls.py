"""Connecting: the providers' callbacks, the pages around consent, and the links that end a connection."""

from django.urls import path, register_converter

from mailbox import confirming, stopping, views, webhooks


class ProviderConverter:
    """`google` or `microsoft`: anything else is no address of ours."""

    regex = "google|microsoft"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return str(value)


register_converter(ProviderConverter, "provider")

app_name = "mailbox"
urlpatterns = [
    path("w/<slug:slug>/mailboxes/connect/", views.connect, name="connect"),
    path("w/<slug:slug>/mailboxes/connect/<provider:provider>/", views.start, name="start"),
    path("w/<slug:slug>/mailboxes/connect/not/<slug:code>/", views.problem, name="problem"),
    path("w/<slug:slug>/mailboxes/connect/confirm/", confirming.confirm, name="confirm"),
    path("stop/<str:token>/", stopping.stop, name="stop"),
    path("oauth/<provider:provider>/callback/", views.callback, name="callback"),
    path("hooks/<provider:provider>/", webhooks.hook, name="hook"),
]
