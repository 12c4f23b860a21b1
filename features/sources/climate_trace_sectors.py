"""Climate TRACE's words: its gases as scopes, its subsectors as house sectors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Gases counted in tonnes of CO2 or CO2e, and the scope each is. CH4 and N2O in their own tonnes are not.
SCOPES: Final[Mapping[str, str]] = MappingProxyType({
    "co2e_100yr": "climate-trace-co2e100",
    "co2e_20yr": "climate-trace-co2e20",
    "co2": "climate-trace-co2",
})  # fmt: skip
USUAL: Final = "co2e_100yr"

_GROUPS: Final = {
    "cement-lime": "cement lime",
    "glass": "glass",
    "iron-steel": "iron-and-steel",
    "aluminium": "aluminum",
    "non-ferrous": "other-metals",
    "pulp-paper": "pulp-and-paper",
    "chemicals": "chemicals other-chemicals petrochemical-steam-cracking petrochemicals",
    "refining": "oil-and-gas-refining",
    "power-plants": "electricity-generation power",
    "combustion": "heat-plants other-energy-use",
    "petroleum-and-natural-gas-systems": "oil-and-gas-production oil-and-gas-transport "
    "oil-and-gas-production-and-transport other-fossil-fuel-operations fossil-fuel-operations",
    "coke": "other-solid-fuels solid-fuel-transformation",
    "metal-ore": "bauxite-mining copper-mining iron-mining",
    "waste": "waste solid-waste-disposal incineration-and-open-burning-of-waste "
    "biological-treatment-of-solid-waste-and-biogenic domestic-wastewater-treatment-and-discharge "
    "industrial-wastewater-treatment-and-discharge wastewater-treatment-and-discharge",
    "other": "food-beverage-tobacco textiles-leather-apparel wood-and-wood-products other-manufacturing "
    "manufacturing mineral-extraction rock-quarrying sand-quarrying other-mining-quarrying coal-mining "
    "fluorinated-gases buildings residential-onsite-fuel-usage non-residential-onsite-fuel-usage "
    "other-onsite-fuel-usage transportation domestic-aviation international-aviation domestic-shipping "
    "international-shipping non-broadcasting-vessels other-transport railways road-transportation "
    "agriculture crop-residues cropland-fires enteric-fermentation-cattle-operation "
    "enteric-fermentation-cattle-pasture enteric-fermentation-other manure-applied-to-soils "
    "manure-left-on-pasture-cattle manure-management-cattle-operation manure-management-other "
    "other-agricultural-soil-emissions rice-cultivation synthetic-fertilizer-application "
    "forestry-and-land-use forest-land-clearing forest-land-degradation forest-land-fires "
    "shrubgrass-fires water-reservoirs wetland-fires net-forest-land net-shrubgrass net-wetland removals",
}
HOUSE: Final[Mapping[str, str]] = MappingProxyType(
    {word: house for house, words in _GROUPS.items() for word in words.split()}
)


def prefix(gas: str) -> str:
    """What facility ids begin with: other gases than the usual one are other facilities' series."""
    scope = SCOPES[gas].removeprefix("climate-trace-")
    return "climate-trace:" if gas == USUAL else f"climate-trace:{scope}:"
