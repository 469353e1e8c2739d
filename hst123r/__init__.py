"""Hubble imaging from a recipe: alignment, drizzling and photometry with provenance.

Importing this package costs nothing: everything heavy is imported where it is used.
"""

__version__ = "0.1.0"
