"""Figures shipped with the product; every row carries its source and evidence grade."""
