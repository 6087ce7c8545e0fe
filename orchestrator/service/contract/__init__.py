"""The night contract: what was looked at before a campaign is left alone, and what was found."""
