"""What `benchmarks/poll.py` is made of."""
