"""Exposures with known answers: simulated HST frames and the truth they were made from.

A :class:`~hst123r.simulation.model.Programme` says what is observed; `schedule` turns it into
planned exposures, `scene` into stars, and :func:`hst123r.simulation.exposure.expose` makes one
planned exposure into the HDUs of its files and a table of the truth. Nothing here opens files.
"""
