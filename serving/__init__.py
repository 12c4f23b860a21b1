"""Floor 4: the edge. Imports ``features``, ``models`` and, through ``pack`` alone, ``training.registry``."""
