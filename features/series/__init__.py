"""The words and frames of a time series: cadence, panel, dense arrays, vintages, scopes, hierarchy.

Knows what a figure is, when it became known and what it counts. May import ``features.reference`` and, of
``features.sources``, the contract of records and the embedded figures; other publishers it does not know.
"""
