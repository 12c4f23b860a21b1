"""Steps that bring the tables of serving's state to the shape the code reads; serving.state runs them.

A step may import SQLAlchemy and alembic alone: it must mean the same whatever the code becomes.
"""
