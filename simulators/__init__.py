"""The instruments of the lab as seen from the wire, over one simulated lab."""
