"""A local stand-in for Google and Microsoft: OAuth, Gmail API, Graph mail and simulated recipients.

For `make run`, tests and benchmarks. It shares no code with the product: nothing here imports from
another package of this repository, and nothing but tests and tooling starts it. It proves wiring, not
fidelity: no fact in it was checked on a live account.
"""
