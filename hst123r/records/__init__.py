"""The nouns of the field: what stages, the engine and the store pass to one another.

Everything here is immutable, free of input and output, and imports nothing heavy.
"""
