"""The tables of serving's state as queries name them; serving/migrations makes them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

# The newest step of serving/migrations: a database that stands there needs none.
HEAD: Final = "0002"
# Not alembic's own name for it: a tracking server may keep its tables in the same database.
VERSIONS: Final = "forecarbon_state_version"

_META: Final = sa.MetaData()
VERSION: Final = sa.Table(VERSIONS, _META, sa.Column("version_num", sa.String(32)))
JOURNAL: Final = sa.Table(
    "journal",
    _META,
    sa.Column("forecast_id", sa.String, primary_key=True),
    sa.Column("issued_at", sa.String),
    sa.Column("key_id", sa.String),
    sa.Column("model_version", sa.String),
    sa.Column("entry", sa.Text),
)
KEYS: Final = sa.Table(
    "keys",
    _META,
    sa.Column("key_id", sa.String, primary_key=True),
    sa.Column("name", sa.String),
    sa.Column("secret_sha256", sa.String),
    sa.Column("scopes", sa.String),
    sa.Column("created_at", sa.String),
    sa.Column("expires_at", sa.String),
    sa.Column("revoked_at", sa.String),
    sa.Column("per_second", sa.Float),
)
ACTUALS: Final = sa.Table(
    "actuals",
    _META,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("unique_id", sa.String),
    sa.Column("ds", sa.String),
    sa.Column("key_id", sa.String),
    sa.Column("y", sa.Float),
    sa.Column("source", sa.String),
    sa.Column("at", sa.String),
)
AUDIT: Final = sa.Table(
    "audit",
    _META,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("at", sa.String),
    sa.Column("key_id", sa.String),
    sa.Column("who", sa.String),
    sa.Column("what", sa.String),
    sa.Column("place", sa.String),
    sa.Column("outcome", sa.String),
)
SCENARIOS: Final = sa.Table(
    "scenarios",
    _META,
    sa.Column("scenario_id", sa.String, primary_key=True),
    sa.Column("owner", sa.String),
    sa.Column("newest", sa.Integer),
    sa.Column("shared", sa.Boolean),
    sa.Column("changed_at", sa.String),
    sa.Column("removed_at", sa.String),
)
SCENARIO_VERSIONS: Final = sa.Table(
    "scenario_versions",
    _META,
    sa.Column("scenario_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("at", sa.String),
    sa.Column("who", sa.String),
    sa.Column("fingerprint", sa.String),
    sa.Column("body", sa.Text),
)
INVENTORIES: Final = sa.Table(
    "inventories",
    _META,
    sa.Column("inventory_id", sa.String, primary_key=True),
    sa.Column("owner", sa.String),
    sa.Column("at", sa.String),
    sa.Column("digest", sa.String),
    sa.Column("about", sa.Text),
    sa.Column("rows", sa.Text),
)
