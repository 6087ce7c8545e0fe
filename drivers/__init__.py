"""Ophyd devices over pyserial and pyvisa: one instrument, one file."""
