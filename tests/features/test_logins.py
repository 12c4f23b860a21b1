from __future__ import annotations

import pytest

from features.errors import AskError
from features.logins import shown_address, without_logins


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://user:s3cret@host.example/a/b", "https://…@host.example/a/b"),
        ("at postgresql+psycopg://u:s3@cret@h:5432/db, away", "at postgresql+psycopg://…@h:5432/db, away"),
        ("postgresql://u:s3/cr?e#t@h/db", "postgresql://…@h/db"),
        ("postgresql://h/db?user=u&password=s3cret", "postgresql://h/db?…"),
        ("'https://h/f.csv?key=s3cret' and https://h/g#s3cret", "'https://h/f.csv?…' and https://h/g?…"),
        ("https://s3cret@h/x", "https://…@h/x"),
        ("host=h password=s3cret dbname=d", "host=h password=… dbname=d"),
        ("said API_KEY=s3cret; done", "said API_KEY=…; done"),
    ],
)
def test_what_lets_somebody_in_is_hidden(text: str, told: str) -> None:
    assert without_logins(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=b",
        "https://host:8080/a/b.csv",
        "sqlite:////tmp/store/mlflow.db",
        "ada@example.org",
        "1 : 2 @ 3",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert without_logins(text) == text


def test_of_one_address_all_before_the_last_at_is_hidden() -> None:
    assert shown_address("https://u:s3 cret/x@y@host:port/a?b=s3cret") == "https://…@host:port/a?…"
    assert shown_address("https://host/a") == "https://host/a"


def test_no_refusal_tells_a_login_of_what_was_found() -> None:
    fault = AskError(
        "x", found="https://u:s3cret@h", expected="postgresql://USER@HOST/NAME", remedy="mend it",
        offenders=["ftp://u:s3cret@h"], facts={"url": "https://h/?t=s3cret", "n": 1},
    )  # fmt: skip
    assert "s3cret" not in fault.message + str(fault.as_record())
    assert "USER@HOST" in fault.message
