"""What is wrong between the rows of an inventory: repeats, totals among parts, gases that are absent."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from features.series.units import CO2E
from features.sources.inventory_columns import FIGURE, GAS, ID, LINE, TRAITS, WHEN
from features.sources.inventory_layout import Fault
from features.sources.inventory_marks import EMPTY

ORDER, OF_GAS, TONNES, FAULT = "order", "of_gas", "tonnes", "fault"
SHOWN: Final = 40
LONGEST_NAME: Final = 200
_TOTAL: Final = (
    r"(?i)(?:(?:grand|sub|over)[\s-]*)?totals?(?: (?:emissions?|all sites|all|sum|co2e?|cluster))?\W*"
    r"|(?:sum|all sites|all|overall|gesamt|summe|totaal|somme)\W*"
)
_INCOMPLETE: Final = "sum-incomplete: another gas of this period is at fault"
_OF_NAMES: Final = ("id-", "row-of-totals", "text-", "personal-data", "site-without")
_NO_NAME: Final = ("", *EMPTY, "NaT")
_FORMULA: Final = r"[=+@\t].*|-\D.*"
_EMAIL: Final = r"[\w.+-]+@[\w-]+\.[\w.]+"
_PHONE: Final = r"\+?\d[\d\s()/.-]{8,}\d"
_NAMES: Final = (ID, "name", "region", "activity", "sector", "cluster")


def mark(table: pd.DataFrame, wrong: pd.Series, fault: str) -> None:
    """Write ``fault`` ("code: text") to the rows (N,) that are ``wrong`` and have none yet."""
    table[FAULT] = table[FAULT].mask(wrong.to_numpy(dtype=bool) & (table[FAULT] == ""), fault)


def judged(table: pd.DataFrame, *, empty_gas_is_zero: bool) -> pd.DataFrame:
    """The rows (N,) with every fault of names and every one that shows only between rows."""
    _names(table)
    period = table.groupby([ID, ORDER], sort=False).ngroup().rename("period")
    twice = pd.DataFrame({"period": period, GAS: table[OF_GAS]}).duplicated(keep=False)
    mark(table, twice, "row-repeated: this site, period and gas twice; keep one")
    mark(
        table,
        _sums_of_others(table),
        "row-of-totals: equals the sum of the other sites and would count twice",
    )
    figure = (table[TONNES].notna() | (table[FAULT] != "")).groupby(table[ID]).transform("any")
    mark(table, ~figure, "site-without-figures: a remark, or a site without any figure; take it away")
    gases = table[OF_GAS].groupby(period).transform("nunique")
    total = (table[OF_GAS] == CO2E).groupby(period).transform("any")
    mark(table, total & (gases > 1), "total-and-parts: CO2e beside single gases of the same period; keep one")
    _empty_gases(table, period, gases, zero=empty_gas_is_zero)
    bad = (table[FAULT] != "").groupby(period).transform("any")
    mark(table, bad, _INCOMPLETE)
    everywhere = table[OF_GAS].groupby(table[ID]).transform("nunique")
    mark(
        table,
        gases < everywhere,
        "gas-absent: this period lacks a gas that the site has elsewhere; write 0 if none",
    )
    return table


def told(table: pd.DataFrame) -> list[Fault]:
    """Line, code and text of every row at fault; personal data in its cells are masked."""
    bad = table[table[FAULT] != ""]
    # One cell at fault spoils the sum of its row: that is told once, by the cell.
    spoilt = bad[FAULT] == _INCOMPLETE
    bad = bad[~spoilt | ~bad[LINE].isin(bad[LINE][~spoilt])]
    # A fault of a site's name is told once a row, whatever the number of its figures.
    bad = bad[~bad[FAULT].str.startswith(_OF_NAMES) | ~bad.duplicated([LINE, FAULT])]
    columns = [bad[name] for name in (LINE, FAULT, ID, WHEN, OF_GAS, FIGURE)]
    found = []
    for line, fault, name, when, gas, figure in zip(*columns, strict=True):
        code, text = str(fault).split(": ", 1)
        where = " ".join(word for word in (shown(name), shown(when), gas) if word)
        found.append((int(line), code, f"{where} {shown(figure)!r}: {text}"))
    return found


def shown(cell: str) -> str:
    """A cell fit for a terminal and a table: short, printable, no e-mail or phone number."""
    plain = re.sub(_PHONE, "(phone)", re.sub(_EMAIL, "(e-mail)", cell[: 4 * SHOWN]))
    return "".join(c if c.isprintable() else "�" for c in plain)[:SHOWN]


def _names(table: pd.DataFrame) -> None:
    mark(table, table[ID].isin(_NO_NAME) | table[ID].str.startswith("#"), "id-missing: no site")
    mark(table, table[ID].str.len() > LONGEST_NAME, "text-unreadable: a name that goes on and on")
    mark(table, _says_total(table), "row-of-totals: a total would be counted twice; take it away")
    for name in _NAMES:
        cells = table[name]
        words = cells.drop_duplicates()
        formula = set(words[words.str.fullmatch(_FORMULA)])
        mark(table, cells.isin(formula), f"text-formula: {name} begins like a formula")
        person = set(words[words.str.contains(_EMAIL)])
        mark(table, cells.isin(person), f"personal-data: an e-mail address as {name}")
        odd = {word for word in words if not word.isprintable() or "�" in word or '"' in word}
        mark(table, cells.isin(odd), f"text-unreadable: {name} holds marks that are no text")


def _says_total(table: pd.DataFrame) -> pd.Series:
    """(N,) True where any cell of the line calls itself a total."""
    here = pd.Series(False, table.index)
    for name in (ID, WHEN, FIGURE, *TRAITS):
        words = table[name].drop_duplicates()
        here |= table[name].isin(set(words[words.str.fullmatch(_TOTAL)]))
    return table[LINE].isin(table[LINE][here])


def _sums_of_others(table: pd.DataFrame) -> pd.Series:
    """(N,) True for sites whose every figure, two periods or more, is the sum of two or more other sites."""
    good = table[(table[FAULT] == "") & table[TONNES].notna()]
    sums = good.groupby([ID, ORDER], sort=False)[TONNES].sum().reset_index()
    whole = sums.groupby(ORDER)[TONNES].transform("sum")
    others = sums.groupby(ORDER)[TONNES].transform("size") - 1
    # The sum of the rest equals the figure where twice the figure is the whole.
    equal = (others >= 2) & (sums[TONNES] > 0) & np.isclose(2 * sums[TONNES], whole, rtol=1e-9, atol=0.0)
    by_site = equal.groupby(sums[ID]).agg(["all", "size"])
    guilty = by_site.index[by_site["all"] & (by_site["size"] >= 2)]
    return table[ID].isin(guilty)


def _empty_gases(table: pd.DataFrame, period: pd.Series, gases: pd.Series, *, zero: bool) -> None:
    """An empty cell of one gas beside figures of others: zero where the user says so, else a fault."""
    figure = table[TONNES].notna()
    beside = figure.groupby(period).transform("any")
    empty = (table[FAULT] == "") & ~figure & beside & (gases > 1)
    if zero:
        table[TONNES] = table[TONNES].mask(empty, 0.0)
        return
    for gas in sorted(set(table[OF_GAS][empty])):
        remedy = "write 0 if there was none, leave the whole period empty, or declare that empty means zero"
        mark(
            table,
            empty & (table[OF_GAS] == gas),
            f"gas-empty: {gas} has no figure beside other gases; {remedy}",
        )
