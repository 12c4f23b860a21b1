"""Pages that people look at; they ask nothing of any other machine. May import ``serving`` and below."""
