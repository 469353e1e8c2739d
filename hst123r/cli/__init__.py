"""The command line: a thin skin of click over the engine; no astronomy, no SQL."""
