"""What callers leave: scenarios with their versions, and inventories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def text(length: int) -> sa.types.TypeEngine[str]:
    """Text ordered by code points on every database, so that order in SQL is order in Python."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "scenarios",
        sa.Column("scenario_id", text(40), primary_key=True),
        sa.Column("owner", text(100), nullable=False),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("changed_at", text(24), nullable=False),
        sa.Column("removed_at", text(24), nullable=False),
    )
    op.create_index("scenarios_of_an_owner", "scenarios", ["owner", "changed_at"])
    op.create_table(
        "scenario_versions",
        sa.Column("scenario_id", text(40), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", text(24), nullable=False),
        sa.Column("who", text(100), nullable=False),
        sa.Column("fingerprint", text(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "inventories",
        sa.Column("inventory_id", text(40), primary_key=True),
        sa.Column("owner", text(100), nullable=False),
        sa.Column("at", text(24), nullable=False),
        sa.Column("digest", text(64), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
    )
    op.create_index("inventories_of_an_owner", "inventories", ["owner", "at"])
