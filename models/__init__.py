"""Floor 2: from history to forecast: members, blend, bands, joint paths, chances; ``kinds`` is their table.

May import ``features`` only. History is an argument of every forecast; nothing here knows the clock.
"""
