"""The OpenAPI 3.1 document of the service, built from the same models that check requests."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from serving.openapi_insights import insight_schemas
from serving.openapi_parts import headers_of_all, keys_of_all, parameters_of_all
from serving.openapi_paths import paths
from serving.openapi_records import record_schemas
from serving.openapi_reports import report_schemas
from serving.openapi_saved import saved_schemas
from serving.openapi_scenarios import scenario_schemas
from serving.openapi_schemas import ask_schemas, error_schemas, forecast_schemas
from serving.openapi_views import view_schemas

VERSION: Final = "1.3.0"
_ABOUT: Final = (
    "Calibrated emissions forecasts of industrial clusters, their sectors and plants, in tonnes of CO2e. "
    "Every answer names the model that made it. v1 stays: fields and paths are added, never taken away or "
    "given another meaning; whatever is to go is announced by the headers Deprecation and Sunset at least "
    "twelve months ahead, so pass over fields you do not know."
)


@cache
def document() -> dict[str, Any]:
    """The whole document; the same object each time, so do not change it."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Forecarbon", "version": VERSION, "description": _ABOUT},
        # Keys are asked for only where the service was started with them.
        "security": [{}, {"bearer": []}, {"apiKey": []}],
        "paths": paths(),
        "components": {
            "schemas": {
                **ask_schemas(),
                **forecast_schemas(),
                **view_schemas(),
                **insight_schemas(),
                **scenario_schemas(),
                **saved_schemas(),
                **record_schemas(),
                **report_schemas(),
                **error_schemas(),
            },
            "headers": headers_of_all(),
            "parameters": parameters_of_all(),
            "securitySchemes": keys_of_all(),
        },
    }
