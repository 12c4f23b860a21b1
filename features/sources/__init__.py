"""One module a source: raw file -> checked rows with ``known_at``."""
