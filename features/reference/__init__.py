"""Figures shipped with the product; every row carries its source and evidence grade.

May import the errors and file forms of ``features``; everyone may read its tables.
"""
