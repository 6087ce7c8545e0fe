"""Experimental procedures as Bluesky plans: deposition, magnetometry, transfer, calibration."""
