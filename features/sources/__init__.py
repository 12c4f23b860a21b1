"""One module a source: raw file -> checked rows with ``known_at``; ``readers`` is their table.

Knows each publisher's layout and how to fetch it. May import ``features.series``; a reader imports no other
reader's rows but those of its own family.
"""
