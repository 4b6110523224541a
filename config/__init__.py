"""Plumbing: settings, addresses, the Celery application. Imports everything, imported by nobody."""
