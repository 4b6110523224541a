"""What `benchmarks/send.py` compares."""
