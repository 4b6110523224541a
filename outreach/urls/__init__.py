"""The product's addresses, below /w/<slug>/; only the pictures of mails have an address by themselves."""

from django.urls import URLPattern

from outreach.urls import boards, campaigns, inbox, library, mailboxes, people, projects, removals

app_name = "outreach"
urlpatterns: list[URLPattern] = [
    *projects.urlpatterns,
    *boards.urlpatterns,
    *mailboxes.urlpatterns,
    *campaigns.urlpatterns,
    *people.urlpatterns,
    *library.urlpatterns,
    *inbox.urlpatterns,
    *removals.urlpatterns,
]
