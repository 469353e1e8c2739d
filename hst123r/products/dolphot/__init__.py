"""The files of DOLPHOT: what it reads and what it writes, as plain records and arrays.

Formats are those of DOLPHOT 2.0 to 3.1. Nothing here starts the program.
"""
