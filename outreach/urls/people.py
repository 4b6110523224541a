"""Contacts, sites and suppressions."""

from django.urls import URLPattern, path

from outreach.views import (
    contact_imports,
    contacts,
    contacts_import,
    groups,
    saved_views,
    sites,
    suppressions,
)

IMPORT = "w/<slug:slug>/contacts/imports/<uuid:pk>/"
urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/contacts/", contacts.contacts, name="contacts"),
    path("w/<slug:slug>/contacts/new/", contacts.contact_new, name="contact_new"),
    path("w/<slug:slug>/contacts/import/", contacts_import.contacts_import, name="contacts_import"),
    path("w/<slug:slug>/contacts/imports/", contact_imports.contact_imports, name="contact_imports"),
    path(IMPORT, contact_imports.contact_import, name="contact_import"),
    path(f"{IMPORT}rejected/", contact_imports.contact_import_rejects, name="contact_import_rejects"),
    path(f"{IMPORT}cancel/", contact_imports.contact_import_cancel, name="contact_import_cancel"),
    path(f"{IMPORT}undo/", contact_imports.contact_import_undo, name="contact_import_undo"),
    path("w/<slug:slug>/contacts/groups/", groups.groups, name="groups"),
    path("w/<slug:slug>/contacts/groups/people/", groups.group_people, name="group_people"),
    path("w/<slug:slug>/contacts/groups/undo/", groups.group_undo, name="group_undo"),
    path("w/<slug:slug>/contacts/groups/<uuid:pk>/", groups.group, name="group"),
    path("w/<slug:slug>/contacts/groups/<uuid:pk>/merge/", groups.group_merge, name="group_merge"),
    path("w/<slug:slug>/contacts/groups/<uuid:pk>/delete/", groups.group_delete, name="group_delete"),
    path("w/<slug:slug>/contacts/<uuid:pk>/", contacts.contact, name="contact"),
    path("w/<slug:slug>/contacts/<uuid:pk>/edit/", contacts.contact_edit, name="contact_edit"),
    path("w/<slug:slug>/contacts/<uuid:pk>/delete/", contacts.contact_delete, name="contact_delete"),
    path("w/<slug:slug>/views/", saved_views.view_new, name="view_new"),
    path("w/<slug:slug>/views/<uuid:pk>/", saved_views.view_open, name="view_open"),
    path("w/<slug:slug>/views/<uuid:pk>/edit/", saved_views.view_edit, name="view_edit"),
    path("w/<slug:slug>/views/<uuid:pk>/delete/", saved_views.view_delete, name="view_delete"),
    path("w/<slug:slug>/sites/", sites.sites, name="sites"),
    path("w/<slug:slug>/sites/<uuid:pk>/", sites.site, name="site"),
    path("w/<slug:slug>/suppressions/", suppressions.suppressions, name="suppressions"),
    path("w/<slug:slug>/suppressions/new/", suppressions.suppression_new, name="suppression_new"),
    path(
        "w/<slug:slug>/suppressions/<uuid:pk>/lift/", suppressions.suppression_lift, name="suppression_lift"
    ),
]
