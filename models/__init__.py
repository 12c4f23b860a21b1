"""Floor 2: from history to forecast. May import ``features`` only."""
