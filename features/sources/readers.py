"""The sources by name, and the reader of each; a reader is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from features.errors import AskError
from features.sources.records import Batch

ONE, LIST, EACH = "one", "list", "each"


@dataclass(frozen=True)
class Entry:
    """Where a reader is and how it takes files.

    Attributes:
        module: its module, which holds ``read`` and ``READER``.
        takes: ONE file, a LIST of them, or EACH as an argument of its own.
        companions: keyword -> word in the name of a file that goes there.
        dated: whether its ``read`` takes ``whole_until``, the newest year known to be published whole.
        told: whether its ``read`` takes what a user says of the file (declared, name, keep_good).
    """

    module: str
    takes: str = ONE
    companions: tuple[tuple[str, str], ...] = ()
    dated: bool = False
    told: bool = False


READERS: Final[Mapping[str, Entry]] = {
    "carbon-price": Entry("features.sources.carbon_price"),
    "climate-trace": Entry("features.sources.climate_trace", EACH, dated=True),
    "eurostat-ipi": Entry("features.sources.eurostat_ipi"),
    "eutl": Entry("features.sources.eutl", LIST),
    "gcb": Entry("features.sources.gcb"),
    "ghgrp": Entry("features.sources.ghgrp", EACH),
    "ghgrp-segments": Entry("features.sources.ghgrp_segments", EACH),
    "owid-co2": Entry("features.sources.owid_co2"),
    "uk-ets": Entry(
        "features.sources.uk_ets",
        LIST,
        (("operators", "operators_daily"), ("coordinates", "installation_coordinates")),
    ),
    "upload": Entry("features.sources.inventory", told=True),
    "us-power": Entry("features.sources.us_power"),
}


@dataclass(frozen=True)
class Reader:
    """The reader of one source: its name, the reader's name and version, and what reads files."""

    source: str
    name: str
    entry: Entry
    function: Callable[..., Batch]

    def read(
        self,
        paths: Sequence[Path],
        *,
        known_at: pd.Timestamp | None = None,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> Batch:
        """The batch of these files together.

        Args:
            known_at: when the publisher showed them. A year that was over for a whole year by then is taken
                as published whole; left out, no year is.
            options: what the user says of the file, for a reader that takes it.

        Raises:
            AskError: several files for a reader of one, or none but companions; options for a reader
                that takes none.
        """
        if options and not self.entry.told:
            raise AskError(
                "options-do-not-fit",
                found=f"options {', '.join(sorted(options))} for {self.source}",
                expected="none: its publisher's layout tells all",
                remedy="leave them out; they are for your own inventory, forecarbon ingest upload",
            )
        beside = {
            keyword: path
            for keyword, word in self.entry.companions
            for path in paths
            if word in path.name.lower()
        }
        main = [path for path in paths if path not in beside.values()]
        if not main or (self.entry.takes == ONE and len(main) > 1):
            raise AskError(
                "files-do-not-fit",
                found=f"{len(main)} files for {self.source}",
                expected="one file" if self.entry.takes == ONE else "at least one file of figures",
                offenders=[path.name for path in paths],
                remedy="name the file of figures with --file; ingest further files one by one",
            )
        dated = {"whole_until": known_at.year - 2} if self.entry.dated and known_at is not None else {}
        if self.entry.takes == EACH:
            return self.function(*main, **beside, **dated, **options)
        return self.function(main[0] if self.entry.takes == ONE else main, **beside, **dated, **options)


def reader_of(source: str) -> Reader:
    """The reader of ``source``; uk_ets is uk-ets.

    Raises:
        AskError: no such source.
    """
    source = source.replace("_", "-")
    if source not in READERS:
        raise AskError(
            "source-unknown",
            found=f"source {source!r}",
            expected="one of " + ", ".join(READERS),
            remedy="name a source from the list; upload is your own inventory",
        )
    module = importlib.import_module(READERS[source].module)
    return Reader(source, module.READER, READERS[source], module.read)
