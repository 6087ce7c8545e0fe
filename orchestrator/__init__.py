"""Decides, remembers and supervises: from a campaign file to a finished night."""
