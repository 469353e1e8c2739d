"""Exposures of a visit on their way to the reference: methods, and what became of each exposure.

Methods need files and other people's programs at once, which do not see each other, so they stand
above both; the stage `align` is what runs them.
"""
