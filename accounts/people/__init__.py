"""Signing in: the ways in, second factors, proofs, browsers and sessions."""
