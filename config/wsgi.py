"""The web server's entry."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from accounts import policies  # noqa: E402  (knows the models, so that the apps come first)
from accounts.walls import gaps  # noqa: E402  (knows the models, so that the apps come first)

# A server that could show one workspace to another does not come up. Gunicorn runs no system checks.
gaps.insist()
# Nor does one with an address that does not say whom it answers.
policies.insist()

# What is loaded at start stays for good. Without this the collector walks all of it at every full round, and
# about one request in fifteen waits 100 ms for that.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
