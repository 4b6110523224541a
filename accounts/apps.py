"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import accounts.key_checks  # noqa: F401
        from accounts import checks, geo, wall_building, wall_variable  # noqa: F401  (checks register themselves)

        wall_variable.install()
        wall_building.install(self)
