"""What a campaign is and how it stands: pure, with no input or output, clock or randomness of its own."""
