"""Documents: one model, two printers; hostile texts stay texts, numbers lead back, bytes repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from features.errors import AskError, DataError
from insights.brief import at
from serving.fund_ask import FundAsk, checked, read_fund
from serving.fund_scenario import registered_plan
from serving.provenance import with_id
from serving.report.charts import Band, Bar, Line, Mark, bars, fan, reliability
from serving.report.document import (
    Block,
    Cell,
    Document,
    Heading,
    KeyFigures,
    Link,
    Number,
    Paragraph,
    Table,
    Words,
    plain,
    say,
)
from serving.report.forms import FORMS, chance, formed, money, signed, significant
from serving.report.html import html_of
from serving.report.ledger import Ledger, Origin, sources_of
from serving.report.pdf import pages_of, pdf_of
from serving.report.printing import FUNDING, REPORT, VIEWS, document_of
from serving.shelf import Standing

HOSTILE: Final = (
    '<script>alert(1)</script> "quoted" & \' #panic("x") $x^2$ _em_ *b* `raw` @ref <label> \\ // /* [x] {y} '
    '{{ 7*7 }} #import "x" \u202e'
)
SCENARIO: Final[dict[str, Any]] = {
    "version": 1, "name": HOSTILE[:80], "series": "aa-north",
    "projects": [
        {"name": HOSTILE[:60], "kind": "ccus", "capacity": "0.1 Mt/year", "start": 2031, "grid": "0.1 t/MWh"}
    ],
}  # fmt: skip
QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    REPORT: {"cluster_id": "aa-north"},
    FUNDING: {"scenario": SCENARIO, "capex": 1e8, "opex": 1e6, "grant": 5e7, "rate": 0.05},
}
# What may stand in plain words beside numbers: names of what is counted, and of bands and intervals.
_PLAIN: Final = re.compile(r"CO2e?|80%|90%|0 is perfect|/v1/| from \d{4} to \d{4}| \(\d+\)$")
NAMES: Final = ("aa-north-2030", "aa-north-2050")


def made(kind: str, standing: Standing, address: str = "https://x.test") -> tuple[dict[str, Any], Document]:
    answer = with_id(kind, QUESTIONS[kind], VIEWS[kind](standing, QUESTIONS[kind]), standing)
    return answer, document_of(kind, answer, address)


def cells_in(block: Block) -> Iterator[Cell]:
    """Every cell of a block."""
    if isinstance(block, Heading):
        yield (block.text,)
    elif isinstance(block, Paragraph):
        yield block.parts
    elif isinstance(block, KeyFigures):
        for item in block.items:
            yield from ((item.label,), item.value, item.note)
    elif isinstance(block, Table):
        yield from ((block.caption,), *((name,) for name in block.head))
        for row in block.rows:
            yield from row
    else:
        yield block.caption


def cells_of(document: Document) -> Iterator[Cell]:
    """Every cell of a document."""
    yield from document.lines
    for block in document.blocks:
        yield from cells_in(block)


def numbers(document: Document) -> list[Number]:
    return [part for cell in cells_of(document) for part in cell if isinstance(part, Number)]


@pytest.mark.parametrize("kind", [REPORT, FUNDING])
def test_every_number_is_the_answers_and_leads_to_it(whole: Standing, kind: str) -> None:
    answer, document = made(kind, whole)
    found = numbers(document)
    assert len(found) > 40
    for number in found:
        assert number.href.startswith(f"https://x.test/v1/provenance/{answer['answer_id']}#/answer/")
        value = at(answer, number.place)
        if isinstance(value, int | float):
            assert number.text in {formed(value, form) for form in FORMS} | {
                text for form in FORMS for text in re.findall(r"[\d.,%−+-]+", formed(value, form))
            } or number.place.startswith(("/progress/", "/why/"))


@pytest.mark.parametrize("kind", [REPORT, FUNDING])
def test_no_number_stands_beside_its_link(whole: Standing, kind: str) -> None:
    """Digits are in numbers and in words of the answer, and nowhere else but in names and titles."""
    answer, document = made(kind, whole)
    loose = []
    for block in document.blocks:
        if isinstance(block, Paragraph) and block.kind == "source":
            continue
        for part in (part for cell in cells_in(block) for part in cell if isinstance(part, str)):
            text = part.replace(HOSTILE[:60], "").replace(HOSTILE[:21], "")
            for name in (*NAMES, answer["name"]):
                text = text.replace(name, "")
            if re.search(r"\d", _PLAIN.sub("", text)):
                loose.append(part)
    assert loose == []


@pytest.mark.parametrize("kind", [REPORT, FUNDING])
def test_every_printed_number_is_in_the_evidence(whole: Standing, kind: str) -> None:
    _, document = made(kind, whole)
    (head,) = (k for k, block in enumerate(document.blocks) if getattr(block, "text", "") == "Evidence")
    tables = [block for block in document.blocks[head:] if isinstance(block, Table)]
    listed = 0
    for row in (row for table in tables for row in table.rows):
        shown = [part for part in row[1] if isinstance(part, Number)]
        # Of many numbers of one line the first and the last stand there, with how many there are.
        more = re.search(r" \((\d+)\)$", plain(row[1]))
        assert len(shown) == 2 if more else 1 <= len(shown) <= 5
        listed += len(shown) if more is None else int(more[1])
    before = {part.place for block in document.blocks[:head] for cell in cells_in(block)
              for part in cell if isinstance(part, Number)}  # fmt: skip
    assert listed >= len(before)
    assert before - {number.place for number in numbers(document)} == set()


@pytest.mark.parametrize("kind", [REPORT, FUNDING])
def test_the_page_is_whole_in_itself(whole: Standing, kind: str) -> None:
    page = html_of(made(kind, whole)[1]).decode()
    assert "<script" not in page
    assert not re.search(r"\s(src|srcset|poster|data)=", page)
    assert not re.search(r"url\(|@import|<link|<iframe|<img|<object|<form", page)
    assert page.count("<svg") == page.count("</svg>") > 0
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert re.search(r"<html lang=\"en\">", page)


def test_hostile_texts_stay_texts(whole: Standing) -> None:
    _, document = made(FUNDING, whole)
    page = html_of(document).decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" not in page or "49" not in page.split("{{ 7*7 }}")[0][-5:]
    # The compiler would stop at #panic or an unknown @ref if it read them as markup.
    assert pdf_of(document).startswith(b"%PDF-")
    evil = Document(HOSTILE, HOSTILE, ((Words(HOSTILE, "/x"),),), "2026-01-02", HOSTILE, ())
    assert pdf_of(evil).startswith(b"%PDF-")
    assert "<script>" not in html_of(evil).decode()
    svg = bars(HOSTILE, "Mt", [Bar(HOSTILE, 1.0)]) + fan(
        HOSTILE, "Mt", [Line(HOSTILE, (2020,), (1.0,), "one")], []
    )
    assert "<script>" not in svg


@pytest.mark.parametrize(
    "text",
    ["鹿特丹", "عربي", "😀", "\x00a\x07", "a\ud800b", "\ufffe", "x" * 3000, "a\u200bb\u00ad", "\ue000"],
)
def test_any_text_can_be_printed(text: str) -> None:
    table = Table(text, (text,), (((Words(text, "/x"),),),), "l", (1,))
    document = Document(text, text, ((text,),), "2026-01-02", text, (table,))
    assert pdf_of(document).startswith(b"%PDF-")
    html_of(document).decode()


@pytest.mark.parametrize("kind", [REPORT, FUNDING])
def test_the_same_document_has_the_same_bytes(whole: Standing, kind: str) -> None:
    first, second = (made(kind, whole)[1] for _ in range(2))
    assert pdf_of(first) == pdf_of(second)
    assert html_of(first) == html_of(second)
    assert first.date == str(whole.pack.card["as_of"])[:10]


def test_the_pdf_is_a_tagged_document_of_several_pages(whole: Standing) -> None:
    _, document = made(FUNDING, whole)
    body = pdf_of(document)
    pages = int(re.search(rb"/Type/Pages/Count (\d+)", body)[1])  # type: ignore[index]
    assert pages == len(pages_of(document, 30)) >= 4
    assert b"/StructTreeRoot" in body
    assert b"/Lang(en)" in body
    assert b"Funding pack: " in body
    links = re.findall(rb"/URI\(https://x\.test/v1/provenance/", body)
    assert len(links) >= len({number.href for number in numbers(document)})


def test_a_question_too_long_for_an_address_leads_nowhere_and_says_so(whole: Standing) -> None:
    answer, _ = made(FUNDING, whole)
    document = document_of(FUNDING, {**answer, "answer_id": None}, "https://x.test")
    assert {number.href for number in numbers(document)} == {""}
    assert any("too long to be held in an address" in plain(cell) for cell in cells_of(document))
    assert b"/v1/provenance/" not in pdf_of(document)


def test_a_cluster_without_projects_is_refused_with_what_is_missing(whole: Standing) -> None:
    with pytest.raises(DataError) as refused:
        registered_plan("aa-north", "North")
    assert refused.value.code == "no-project-to-fund"
    table, skipped = registered_plan("nl-rotterdam", "Port")
    assert [row["project_id"] for row in table["projects"]] == ["nl-rotterdam-porthos"]
    assert {row["code"] for row in skipped} == {"project-size-unknown", "project-kind-unknown"}
    with pytest.raises(DataError) as absent:
        VIEWS[FUNDING](whole, {"cluster_id": "cc-east"})
    assert absent.value.facts["missing"] == ["series-absent"]


def test_questions_name_one_thing() -> None:
    for body in (b"{}", b'{"cluster_id": "a", "scenario": {}}', b'{"cluster_id": "a", "scenario": null}'):
        with pytest.raises(AskError) as refused:
            read_fund(body)
        assert refused.value.code == "funding-of-what"
    with pytest.raises(AskError):
        read_fund(b'{"cluster_id": "a", "grant": 0}')
    ask = checked(FundAsk, {"cluster_id": "a", "grant": 5.0})
    assert ask.question() == {"cluster_id": "a", "grant": 5.0}
    assert ask.terms.grant == 5.0


def test_forms() -> None:
    assert [significant(v) for v in (0, 0.4123, 9.274, 18.33, 104.4, -2.5, 0.9999, 99.97)] == [
        "0", "0.412", "9.27", "18.3", "104", "−2.50", "1.00", "100",
    ]  # fmt: skip
    assert [signed(v) for v in (1.0, -1.0, 0.0, -1e-9)] == ["+1.00", "−1.00", "0", "0"]
    assert [chance(v) for v in (0.0, 0.004, 0.5, 0.999)] == [
        "less than 1%", "less than 1%", "50%", "more than 99%",
    ]  # fmt: skip
    assert [money(v) for v in (1.25e9, 3.1e8, 4200.0)] == ["1.25 billion", "310 million", "4,200"]
    assert formed(None, "mt") == "not known"


def test_a_ledger_groups_numbers_by_what_they_stand_on() -> None:
    answer = {"a": 1e6, "b": {"c": 2e6}}
    ledger = Ledger(
        answer, "id", "", [Origin("", ("m",), "forecast", "now"), Origin("/b", ("s",), "read", "then")]
    )
    assert ledger.number("/a", "mt", "A").href == "/v1/provenance/id#/answer/a"
    ledger.number("/b/c", "mt", "B")
    ledger.number("/a", "mt", "A")
    texts = [plain(cell) for block in ledger.evidence() for cell in cells_in(block)]
    assert "Source: m. Evidence: forecast. As of: now." in texts
    assert "Source: s. Evidence: read. As of: then." in texts
    assert texts.count("1.00") == 1
    with pytest.raises(KeyError):
        ledger.number("/nowhere", "mt", "x")


def test_sources_are_named_by_their_hosts() -> None:
    told = sources_of("https://www.a.test/x?y=1 | forecarbon")
    assert told == (Link("a.test", "https://www.a.test/x?y=1"), ", ", "forecarbon")
    assert sources_of("javascript:alert(1)") == ("javascript:alert(1)",)
    assert sources_of(None) == ()
    assert plain(say("{a} and {b}", a="x", b=("y", "z"))) == "x and yz"


def test_charts_hold_odd_figures() -> None:
    years = (2020, 2021, 2030)
    for value in (0.0, 1e-6, 7.0, 12345.0):
        line = Line("l", years, (value, value, value), "past", dots=True)
        band = Band("b", (2020, 2021), (0.0, 0.0), (value, value), "one")
        svg = fan("t", "Mt", [line], [band], [Mark("m", 2030, value)])
        assert "nan" not in svg.lower().replace("dominant", "")
        # No line is drawn over nine years without a figure.
        assert svg.count("<polyline") == 2
        assert "nan" not in bars("t", "Mt", [Bar("a", value), Bar("b", -value)])
    assert bars("t", "Mt", []).startswith("<svg")
    assert reliability("t", []).startswith("<svg")
