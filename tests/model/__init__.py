"""A small model of the sending protocol: every order of events for one e-mail (faults.md 4.4).

Plain Python: it imports nothing of the product. A change of the protocol is argued here first.
`python -m tests.model` prints the table and, for whatever goes wrong, the shortest way there.
"""
