"""The words and frames of a time series: cadence, panel, dense arrays, vintages, scopes, hierarchy."""
