"""Floor 3: what a forecast means: targets, causes, scenarios, networks, plans.

May import ``features`` and ``models``; knows nothing of training, files of its own or HTTP.
"""
