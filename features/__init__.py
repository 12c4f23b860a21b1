"""Floor 1: from public records to cluster time series to model rows. Imports nothing of ours."""
