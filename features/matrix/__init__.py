"""Model rows: the one builder of features, for bulk training and for serving alike.

May import ``features.series``; knows no forecaster.
"""
