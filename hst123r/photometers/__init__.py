"""Who measures sources in exposures: engines behind one interface, a module or more for each.

Engines need files and other people's programs at once, which do not see each other, so they stand
above both; the stage `photometry` is what runs them.
"""
