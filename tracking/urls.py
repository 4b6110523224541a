"""What recipients and their mail programs reach: pixel, click, opt-out."""

from django.urls import URLPattern, URLResolver

app_name = "tracking"
urlpatterns: list[URLPattern | URLResolver] = []
