"""How Sphinx builds the documentation."""

from hst123r import __version__

project = "hst123r"
author = "the hst123r developers"
project_copyright = "the hst123r developers"
release = version = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "pages"]
nitpicky = True

# the text shows options such as --set and quotes from the terminal as they are typed
smartquotes = False
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "alabaster"
html_theme_options = {
    "description": "Hubble imaging from a recipe, with provenance for every number",
    "fixed_sidebar": True,
    "page_width": "1080px",
    "sidebar_width": "240px",
}
html_show_sourcelink = False
html_copy_source = False
