"""The first tables: journal, keys, actuals, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def text(length: int) -> sa.types.TypeEngine[str]:
    """Text ordered by code points on every database, so that order in SQL is order in Python."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "journal",
        sa.Column("forecast_id", text(100), primary_key=True),
        sa.Column("issued_at", text(24), nullable=False),
        sa.Column("key_id", text(100), nullable=False),
        sa.Column("model_version", text(200), nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
    )
    op.create_index("journal_in_order", "journal", ["issued_at", "forecast_id"])
    op.create_table(
        "keys",
        sa.Column("key_id", text(12), primary_key=True),
        sa.Column("name", text(100), nullable=False),
        sa.Column("secret_sha256", text(64), nullable=False),
        sa.Column("scopes", text(200), nullable=False),
        sa.Column("created_at", text(24), nullable=False),
        sa.Column("expires_at", text(24), nullable=False),
        sa.Column("revoked_at", text(24), nullable=False),
        sa.Column("per_second", sa.Float, nullable=True),
    )
    op.create_table(
        "actuals",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("unique_id", text(200), nullable=False),
        sa.Column("ds", text(10), nullable=False),
        sa.Column("key_id", text(100), nullable=False),
        sa.Column("y", sa.Float, nullable=False),
        sa.Column("source", text(500), nullable=False),
        sa.Column("at", text(24), nullable=False),
    )
    op.create_index("actuals_of_a_period", "actuals", ["unique_id", "ds", "key_id"])
    op.create_table(
        "audit",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", text(24), nullable=False),
        sa.Column("key_id", text(100), nullable=False),
        sa.Column("who", text(200), nullable=False),
        sa.Column("what", text(100), nullable=False),
        sa.Column("place", text(200), nullable=False),
        sa.Column("outcome", text(200), nullable=False),
    )
