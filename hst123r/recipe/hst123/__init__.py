"""Command lines of hst123, read and written anew as recipes."""
