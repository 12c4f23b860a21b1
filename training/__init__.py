"""Floor 3: which way of fitting deserves to serve. May import ``features`` and ``models``."""
