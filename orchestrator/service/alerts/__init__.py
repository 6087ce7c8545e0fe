"""Alerts: what a person must be told, and seeing that it is told, whatever the channels and the daemon do."""
