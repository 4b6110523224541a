"""Addresses of the operator, outside every workspace."""

from django.urls import path

from accounts.staff import views

urlpatterns = [
    path("staff/", views.console, name="staff"),
    path("metrics", views.metrics, name="metrics"),
]
