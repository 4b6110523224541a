"""The library of texts."""

from django.urls import URLPattern, path

from outreach.views import library, library_examples, library_use

TEXT = "w/<slug:slug>/library/<uuid:pk>/"
urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/library/", library.texts, name="library"),
    path("w/<slug:slug>/library/new/", library.text_new, name="library_new"),
    path("w/<slug:slug>/library/pick/", library_use.library_pick, name="library_pick"),
    path("w/<slug:slug>/library/examples/<slug:key>/words/", library_use.example_words, name="example_words"),
    path(
        "w/<slug:slug>/library/examples/<slug:key>/copy/", library_examples.example_copy, name="example_copy"
    ),
    path(TEXT, library.text, name="library_text"),
    path(f"{TEXT}words/", library_use.library_words, name="library_words"),
    path(f"{TEXT}duplicate/", library.text_duplicate, name="library_duplicate"),
    path(f"{TEXT}delete/", library.text_delete, name="library_delete"),
]
