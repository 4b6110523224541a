"""Home and projects."""

from django.urls import URLPattern, path

from outreach.views import finding, home, projects

urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/", home.home, name="home"),
    path("w/<slug:slug>/find/", finding.find, name="find"),
    path("w/<slug:slug>/projects/", projects.projects, name="projects"),
    path("w/<slug:slug>/projects/new/", projects.project_new, name="project_new"),
    path("w/<slug:slug>/projects/<uuid:pk>/", projects.project, name="project"),
    path("w/<slug:slug>/projects/<uuid:pk>/edit/", projects.project_edit, name="project_edit"),
    path("w/<slug:slug>/projects/<uuid:pk>/delete/", projects.project_delete, name="project_delete"),
]
