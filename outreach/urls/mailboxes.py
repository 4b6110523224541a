"""Mailboxes and the receipts of those that were cut off."""

from django.urls import URLPattern, path

from outreach.views import mailboxes

urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/mailboxes/", mailboxes.mailboxes, name="mailboxes"),
    path("w/<slug:slug>/mailboxes/<uuid:pk>/", mailboxes.mailbox, name="mailbox"),
    path("w/<slug:slug>/mailboxes/<uuid:pk>/compare/", mailboxes.mailbox_compare, name="mailbox_compare"),
    path("w/<slug:slug>/mailboxes/<uuid:pk>/remove/", mailboxes.mailbox_revoke, name="mailbox_revoke"),
    path("w/<slug:slug>/receipts/<uuid:pk>/", mailboxes.receipt, name="receipt"),
    path("w/<slug:slug>/receipts/<uuid:pk>/lines/", mailboxes.receipt_lines, name="receipt_lines"),
    path("w/<slug:slug>/receipts/<uuid:pk>/text/", mailboxes.receipt_text, name="receipt_text"),
]
