"""Other people's programs, in child processes with their own scratch directory.

Only this room changes directory, redirects output and sets environment variables, because only
here somebody else's code needs it.
"""
