"""Floor 3: which way of fitting deserves to serve: folds, backtest, scores, gate, registry, schedule, watch.

May import ``features`` and ``models``; knows nothing of insights or of serving.
"""
