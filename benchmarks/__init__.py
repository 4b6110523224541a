"""Figures that are measured, each beside its goal. Run with `make bench`."""
