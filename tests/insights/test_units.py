from __future__ import annotations

import pytest

from features.errors import AskError
from insights.units import measured


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2.5 Mt/year", "flow", 2.5e6),
        ("2500 kt/yr", "flow", 2.5e6),
        ("2500ktCO2e/a", "flow", 2.5e6),
        ("3 TWh/year", "power", 3e6),
        ("100 ktH2/year", "power", 3.333e6),
        ("0.159 t/MWh", "intensity", 0.159),
        ("159 kgCO2e/MWh", "intensity", 0.159),
        ("159 gCO2/kWh", "intensity", 0.159),
        ("3 kgCO2e/kgH2", "intensity", 3 / 33.33),
        ("720 kWh/t", "specific", 0.72),
        ("79 EUR/t", "EUR/t", 79.0),
        ("0.079 EUR/kgCO2", "EUR/t", 79.0),
    ],
)
def test_quantities_are_read_in_one_unit(text: str, kind: str, value: float) -> None:
    kinds = ("flow", "power") if kind in ("flow", "power") else (kind,)
    number, found = measured(text, kinds, "f")
    assert number == pytest.approx(value, rel=1e-12)
    assert found == kind


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2.5", "unit-mismatch"),
        ("2.5 Mt", "unit-mismatch"),
        ("2.5 MWh/year", "unit-mismatch"),
        ("2.5 knots", "unit-mismatch"),
        ("Mt/year", "unit-mismatch"),
        ("9**9**9**9 t/year", "unit-mismatch"),
        ("2.5 __import__/year", "unit-mismatch"),
        ("2.5 GBP/t", "unit-mismatch"),
        ("nan t/year", "unit-mismatch"),
        ("-1 Mt/year", "quantity-out-of-range"),
        ("999999999999999 Mt/year", "quantity-out-of-range"),
    ],
)
def test_what_is_no_such_quantity_is_refused(text: str, code: str) -> None:
    with pytest.raises(AskError) as caught:
        measured(text, ("flow",), "projects[0].capacity")
    told = caught.value
    assert told.code == code
    assert told.facts["field"] == "projects[0].capacity"
    assert told.facts["found"] == text
    assert "t/year" in told.facts["allowed"]
    assert told.remedy
