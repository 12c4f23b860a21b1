"""Months summed to years: Climate TRACE spreads most annual figures over the days of the year."""

from __future__ import annotations

import pandas as pd

from features.sources.records import DS, NOT_REPORTED, NOT_YET_PUBLISHED, OPERATING, STATE, Y

Complaints = list[tuple[int, str, str]]


def yearly(spans: pd.DataFrame, file: str) -> tuple[pd.DataFrame, Complaints]:
    """Annual records (id, ds, y, state) of ``spans`` of one gas, and what was not summed.

    A year is summed when its spans cover each of its days exactly once. A year cut off at its end in
    the newest year of the file, and a figure not proved whole, is "not-yet-published"; any other year
    with days missing, covered twice or without a figure is "not-reported". Each has a complaint.
    """
    spans, complaints = _without_repeats(spans, file)
    table = spans.assign(
        year=spans["start"].dt.year,
        days=(spans["end"] - spans["start"]).dt.days + 1,
        crossing=spans["start"].dt.year != spans["end"].dt.year,
    ).sort_values(["id", "start"], kind="stable")
    reached = table.groupby("id")["end"].cummax()
    before = reached.groupby(table["id"]).shift()
    table["bad"] = table["crossing"] | (table["days"] < 1) | (table["start"] <= before).fillna(False)
    years = table.groupby(["id", "year"], sort=True).agg(
        row=("row", "min"),
        first=("start", "min"),
        last=("end", "max"),
        days=("days", "sum"),
        bad=("bad", "any"),
        told=("y", "count"),
        spans=("y", "size"),
        y=("y", "sum"),
        proved=("proved", "all"),
    ).reset_index()  # fmt: skip
    return _judged(years, file, complaints)


def _without_repeats(spans: pd.DataFrame, file: str) -> tuple[pd.DataFrame, Complaints]:
    again = spans.duplicated(["id", "start", "end", "y"])
    complaints = [
        (int(row), "row-repeated", f"{file}: the same row again; left out") for row in spans.loc[again, "row"]
    ]
    return spans[~again], complaints


def _judged(years: pd.DataFrame, file: str, complaints: Complaints) -> tuple[pd.DataFrame, Complaints]:
    begin = pd.to_datetime(years["year"].astype(str), format="%Y")
    length = begin.dt.is_leap_year.astype("int64") + 365
    covered = (years["days"] == length) & ~years["bad"]
    whole = covered & (years["told"] == years["spans"]) & years["proved"]
    newest = years["year"] == years["year"].max()
    unbroken = (years["first"] == begin) & (years["days"] == (years["last"] - begin).dt.days + 1)
    cut = ~covered & ~years["bad"] & newest & unbroken
    unproved = covered & ~years["proved"] & (years["told"] == years["spans"])
    blank = covered & (years["told"] < years["spans"])
    state = pd.Series(NOT_REPORTED, index=years.index, dtype="str")
    state[whole] = OPERATING
    state[cut | unproved] = NOT_YET_PUBLISHED
    if cut.any():
        text = f"{file}: {years['year'].max()} ends early for {int(cut.sum())} sources; not summed"
        complaints.append((int(years.loc[cut, "row"].iloc[0]), "year-not-over", text))
    broken = ~(whole | cut | unproved | blank)
    for code, rows in (("year-not-proved-whole", unproved), ("year-incomplete", broken | blank)):
        complaints += [
            (int(row), code, f"{name}: {year}")
            for row, name, year in years.loc[rows, ["row", "id", "year"]].itertuples(index=False)
        ]
    records = pd.DataFrame({
        "id": years["id"], DS: begin, Y: years["y"].where(whole), STATE: state,
    })  # fmt: skip
    return records, complaints
