"""Floor 4: the edge. May import ``features``, ``models`` and, through ``pack`` alone, ``training.registry``."""
