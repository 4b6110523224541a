"""Sign-in with Google and Microsoft. The redirect address is registered at the provider as it stands here."""

from __future__ import annotations

from allauth.socialaccount.views import connections
from django.urls import path, register_converter

from accounts.social import views
from accounts.social.houses import NAMES


class HouseConverter:
    """`google` or `microsoft`."""

    regex = "|".join(NAMES)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return str(value)


register_converter(HouseConverter, "house")

urlpatterns = [
    path("accounts/with/", connections, name="socialaccount_connections"),
    path("accounts/with/<house:provider>/", views.start, name="social_start"),
    path("accounts/with/<house:provider>/callback/", views.callback, name="social_callback"),
]
