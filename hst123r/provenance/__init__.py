"""The store: what was asked, what ran, on which bytes, with which result.

One SQLite file per work directory, through sqlite-utils, with plain table names so that
``sqlite3`` and Datasette users can query it. The engine is its only writer.
"""
