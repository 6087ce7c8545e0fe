"""Instruments that speak in files: what their own program writes into a folder, read once it is whole."""
