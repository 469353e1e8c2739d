"""Arrays, tables and WCS objects in, the same out: detection, matching, merging, grouping.

No files, no sockets, no databases, no child processes.
"""
