"""An archive on this machine that speaks like MAST, for tests: real HTTP, faults on request.

Every assumption about MAST that could not be checked against the real one stands in `holdings`
(what rows look like) or `replies` (what the services answer), so that a correction is small.
"""
