"""Files that people open: FITS images, tables, regions, previews; written whole, with units."""
