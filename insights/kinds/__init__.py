"""One module a kind of lever: its own fields, what it reaches, what a gross tonne of it brings back.

May import ``insights.fields`` and ``insights.tolls``; knows nothing of scenarios and paths. The table of them
is insights/lever_kinds.py.
"""
