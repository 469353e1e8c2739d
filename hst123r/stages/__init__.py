"""The stages, one file each; this folder is their only list, and they never import one another."""
