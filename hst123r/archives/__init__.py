"""Where exposures come from: a folder of the user's own, the simulated archive, and MAST.

The only room with sockets.
"""
