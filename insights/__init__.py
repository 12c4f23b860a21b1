"""Floor 3: what a forecast means. May import ``features`` and ``models``; knows nothing of training."""
