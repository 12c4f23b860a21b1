"""Floor 4: the edge: packs of forecasts, answers over HTTP, keys, the journal, printed tables.

May import ``features``, ``models``, ``insights`` and, through ``pack`` alone, ``training.registry``.
Takes the clock, meets strangers, and works nothing out that a floor below could.
"""
