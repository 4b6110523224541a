"""Reads mail that strangers wrote: bytes or text in, frozen dataclasses out.

Nothing here raises on bad input, touches a database, opens a connection or grows faster than its
input; every limit is a named constant beside the code that keeps it.
"""
