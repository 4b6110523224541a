"""An app of its own, because allauth looks for providers in the modules `provider` of apps."""

from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "accounts.social"
    label = "social"

    def ready(self) -> None:
        from accounts.social import receivers  # noqa: F401  (listens to a password's reset)
