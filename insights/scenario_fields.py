"""The fields a scenario may have: one table checks files and bodies, and makes the API's document.

The fields of one kind of lever stand with the kind (insights/kinds). What fields mean together is checked in
insights/scenario.py and insights/plan.py.
"""

from __future__ import annotations

from typing import Final

from insights.fields import LONGEST_NAME, Field, Fields, list_of, quantity, share
from insights.goals import FIRST_YEAR, LAST_YEAR
from insights.lever_kinds import KINDS, LEVERS
from insights.units import CURRENCIES

VERSION: Final = 1
MOST_LEVERS, MOST_PROJECTS, MOST_STORES = 20, 40, 10
LONGEST_RAMP: Final = 40
COSTS: Final = tuple(f"{money}/t" for money in CURRENCIES)

_TEXT: Final = Field("text", 1, LONGEST_NAME)
_YEAR: Final = Field("whole", FIRST_YEAR, LAST_YEAR)
_SIZED: Final[Fields] = {
    "capacity": quantity("2.5 Mt/year captured or cut, or 3 TWh/year of fuel replaced.", "flow", "power"),
    "share": share("Of what is left that it reaches; of a project, the cluster's share of its capacity."),
    "additional": share("The part that the baseline's own trend does not hold already."),
    "start": _YEAR,
    "ramp_years": Field("whole", 0, LONGEST_RAMP, about="Years from the start to full strength."),
    "end": _YEAR,
    **{name: field for kind in LEVERS.values() for name, field in kind.fields.items()},
    "upstream": quantity("0.02 t/MWh of fuel before it is burnt.", "intensity"),
    "grid": quantity("0.16 t/MWh of electricity.", "intensity"),
    "cost": quantity("79 EUR/t captured or replaced.", *COSTS),
}
LEVER: Final[Fields] = {
    "name": Field("text", 1, LONGEST_NAME, required=True),
    "kind": Field("choice", choices=KINDS, required=True),
    **_SIZED,
}
RISK: Final[Fields] = {
    "certain": Field("flag", about="Nothing can go wrong."),
    "slip_chances": list_of(share(), 1, 11, "Chances of being 0, 1, 2, … years late."),
    "cancel": share("Chance of never being built."),
    "delivery": list_of(share(), 3, 3, "Lowest, likeliest and highest share of the capacity."),
}
PROJECT: Final[Fields] = {
    "project_id": Field("text", 1, LONGEST_NAME, about="Of the registry; else name, kind, capacity, start."),
    "name": _TEXT,
    "kind": Field("choice", choices=KINDS),
    "delay_years": Field("whole", 0, 30, about="Later than planned, on every path."),
    "late_years": Field("whole", 1, 30, about="What if it came so much later? 2 without it."),
    "risk": Field("table", rows=RISK),
    **_SIZED,
}
STORE: Final[Fields] = {
    "name": Field("text", 1, LONGEST_NAME, required=True),
    "capacity": Field("text", 1, 60, required=True, about="A quantity with its unit: 2.5 Mt/year."),
}
SCENARIO: Final[Fields] = {
    "version": Field("choice", choices=(VERSION,), required=True),
    "name": Field("text", 1, LONGEST_NAME, required=True),
    "series": Field("text", 1, LONGEST_NAME, required=True, about="Cluster, sector or initiative."),
    "target": Field("text", 1, LONGEST_NAME, about="A target_id; else all targets in force."),
    "scope": Field("text", 1, LONGEST_NAME, about="To read targets of unstated or unlike scope in."),
    "base_year": Field("whole", FIRST_YEAR, LAST_YEAR, about="Of targets that name none."),
    "seed": Field("whole", 0, 2**31 - 1),
    "discount_rate": share("A year, of costs told as a present value; 0.03 without it."),
    "order": list_of(
        Field("choice", choices=KINDS), 1, len(KINDS), "In which kinds are applied; each of its own once."
    ),
    "grid": quantity("0.16 t/MWh, where a lever or project says no other."),
    "stores": list_of(Field("table", rows=STORE), 0, MOST_STORES),
    "levers": list_of(Field("table", rows=LEVER), 0, MOST_LEVERS),
    "projects": list_of(Field("table", rows=PROJECT), 0, MOST_PROJECTS),
}
