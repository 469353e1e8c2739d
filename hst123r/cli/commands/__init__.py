"""The commands, one file each; this folder is their only list."""
