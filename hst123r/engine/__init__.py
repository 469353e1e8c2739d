"""The engine: which jobs there are, whether each runs or is reused and why, and running them."""
