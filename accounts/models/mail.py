"""Service mail kept for reading under `make run` (decisions 23)."""

from django.db import models

from accounts.inventory import Data, Kept


class ServiceMail(models.Model):
    """Written by StoredMailBackend only, which production does not use."""

    inventory = Kept(
        Data.ACCOUNT, "Service mail of the demo, to be read there", "Never written in production"
    )

    at = models.DateTimeField(auto_now_add=True)
    to = models.CharField(max_length=320)
    subject = models.CharField(max_length=400)
    text = models.TextField()

    class Meta:
        ordering = ["-id"]
