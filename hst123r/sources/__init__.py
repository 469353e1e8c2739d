"""Stars of frames and stacks: detection and fitting put together.

Frames and stacks in, star lists out; no files.
"""
