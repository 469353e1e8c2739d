"""Bytes on disk: FITS blocks, digests, copies, and files that appear whole or not at all.

Nothing here knows astronomy beyond the FITS standard, and nothing imports astropy: looking at a
thousand files must stay cheap.
"""
