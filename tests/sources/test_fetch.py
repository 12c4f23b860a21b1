"""Fetching, against a server on loopback that stalls, cuts short, redirects, refuses and lies."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from features.errors import AskError, DataError
from features.files import one_at_a_time
from features.sources.connection import public
from features.sources.fetch import Fetched, fetch
from features.sources.partial import Partial, Told, name_in
from features.sources.reply import Bounds

BODY: Final = bytes(range(256)) * 2000
OTHER: Final = bytes(reversed(range(256))) * 2100
QUICK: Final = Bounds(seconds=20.0, stall=1.0, connect=2.0, tries=5, redirects=3, pause=0.01)


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the next act of the script; its last act is repeated."""

    script: Script

    def do_GET(self) -> None:
        script = self.script
        script.asked.append(
            {key.lower(): value for key, value in self.headers.items()} | {":path": self.path}
        )
        act = script.acts[min(len(script.asked), len(script.acts)) - 1]
        try:
            act(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


Act = Callable[[Handler], None]


@dataclass
class Script:
    """What the server does, and what it was asked."""

    address: str = ""
    acts: list[Act] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Script]:
    script = Script()
    handler = type("Scripted", (Handler,), {"script": script})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        script.address = f"http://127.0.0.1:{running.server_address[1]}/data/records.csv.gz"
        yield script
        running.shutdown()
        thread.join()


def answer(
    status: int = 200,
    body: bytes = b"",
    *,
    length: int | None = None,
    send: int | None = None,
    then: Callable[[], None] = lambda: None,
    **headers: str,
) -> Act:
    """An act: this status, these headers, the first ``send`` bytes of the body under a told ``length``."""

    def act(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if length != -1:
            handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body if send is None else body[:send])
        handler.wfile.flush()
        then()
        handler.close_connection = True

    return act


def ranged(body: bytes, etag: str) -> Act:
    """An act that minds Range and If-Range as the standard says."""

    def act(handler: Handler) -> None:
        asked, if_range = handler.headers.get("Range", ""), handler.headers.get("If-Range")
        if asked and if_range == etag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            told = f"bytes {begin}-{len(body) - 1}/{len(body)}"
            answer(206, body[begin:], Content_Range=told, ETag=etag)(handler)
        else:
            answer(200, body, ETag=etag)(handler)

    return act


def got(server: Script, folder: Path, bounds: Bounds = QUICK, known: Told | None = None) -> Fetched:
    return fetch(server.address, folder, known=known, bounds=bounds, allow_local=True, wait=lambda _: None)


def whole(fetched: Fetched, body: bytes = BODY) -> bool:
    assert fetched.path is not None
    assert fetched.path.read_bytes() == body
    assert (fetched.size, fetched.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    return True


def nothing_left(folder: Path) -> bool:
    """No file under its final name."""
    return [p.name for p in folder.rglob("*") if p.suffix not in {".lock", ".part", ".json", ""}] == []


def test_a_whole_file_comes_with_its_facts(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, ETag='"a"', Last_Modified="Mon, 01 Apr 2024 00:00:00 GMT")]
    seen: list[tuple[int, int | None]] = []
    done = fetch(
        server.address, tmp_path, bounds=QUICK, allow_local=True, told=lambda n, of: seen.append((n, of))
    )
    assert whole(done)
    assert done.path is not None
    assert done.path.name == "records.csv.gz"
    assert done.told == Told('"a"', "Mon, 01 Apr 2024 00:00:00 GMT", len(BODY))
    assert done.tries == 1
    assert seen[-1] == (len(BODY), len(BODY))
    assert server.asked[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(server: Script, tmp_path: Path, status: int) -> None:
    server.acts = [answer(status), answer(status), answer(200, BODY)]
    done = got(server, tmp_path)
    assert whole(done)
    assert done.tries == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_a_refusal_is_not_asked_again(server: Script, tmp_path: Path, status: int) -> None:
    server.acts = [answer(status)]
    with pytest.raises(DataError, match=f"status {status}") as caught:
        got(server, tmp_path)
    assert caught.value.code == "source-refused"
    assert len(server.asked) == 1


def test_tries_are_bounded_and_pauses_double(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(500)]
    pauses: list[float] = []
    with pytest.raises(DataError, match="status 500"):
        fetch(server.address, tmp_path, bounds=QUICK, allow_local=True, wait=pauses.append)
    assert len(server.asked) == QUICK.tries
    assert pauses == [0.01, 0.02, 0.04, 0.08]


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "Mon, 01 Apr 2024 00:00:09 GMT", "Date": "Mon, 01 Apr 2024 00:00:00 GMT"}, None),
        ({"Retry_After": "soon"}, 0.01),
        ({"Retry_After": "-5"}, 0.01),
    ],
)
def test_retry_after_is_kept(
    server: Script, tmp_path: Path, headers: dict[str, Any], pause: float | None
) -> None:
    server.acts = [answer(429, **headers), answer(200, BODY)]
    pauses: list[float] = []
    assert whole(fetch(server.address, tmp_path, bounds=QUICK, allow_local=True, wait=pauses.append))
    # With two Date headers (the server adds its own) the date is unreadable, and the own pause is taken.
    assert pauses == [0.01 if pause is None else pause]


def test_a_wait_longer_than_allowed_ends_it(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(503, Retry_After="3600")]
    with pytest.raises(DataError, match="status 503"):
        got(server, tmp_path)
    assert len(server.asked) == 1


def test_a_stall_is_given_up_and_gone_on_from(server: Script, tmp_path: Path) -> None:
    stalled = answer(200, BODY, send=100_000, then=lambda: time.sleep(2.0), ETag='"a"')
    server.acts = [stalled, ranged(BODY, '"a"')]
    done = got(server, tmp_path)
    assert whole(done)
    assert server.asked[1]["range"] == "bytes=100000-"
    assert server.asked[1]["if-range"] == '"a"'


def test_a_cut_is_gone_on_from_piece_by_piece(server: Script, tmp_path: Path) -> None:
    def cut(handler: Handler) -> None:
        begin = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        rest = BODY[begin:]
        status = 206 if begin else 200
        part = f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}"
        told: dict[str, Any] = {"Content_Range": part} if begin else {}
        answer(status, rest, length=len(rest), send=150_000, ETag='"a"', **told)(handler)

    server.acts = [cut]
    assert whole(got(server, tmp_path))
    assert [asked.get("range") for asked in server.asked][:2] == [None, "bytes=150000-"]


def test_without_a_validator_a_cut_begins_anew(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, length=len(BODY), send=1000), answer(200, BODY)]
    assert whole(got(server, tmp_path))
    assert "range" not in server.asked[1]


def test_a_weak_tag_is_not_gone_on_from(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, send=1000, length=len(BODY), ETag='W/"a"'), answer(200, BODY)]
    assert whole(got(server, tmp_path))
    assert "range" not in server.asked[1]


def test_a_killed_fetch_is_gone_on_with_by_the_next(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, send=200_000, length=len(BODY), ETag='"a"')]
    with pytest.raises(DataError, match="source-cut-short"):
        got(server, tmp_path, replace(QUICK, tries=1))
    assert nothing_left(tmp_path)
    server.acts, server.asked = [ranged(BODY, '"a"')], []
    assert whole(got(server, tmp_path))
    assert server.asked[0]["range"] == "bytes=200000-"


def test_a_file_changed_between_is_taken_anew(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, send=200_000, length=len(BODY), ETag='"a"'), ranged(OTHER, '"b"')]
    assert whole(got(server, tmp_path), OTHER)


@pytest.mark.parametrize(
    "lie",
    [
        {"Content_Range": f"bytes 200000-{len(OTHER) - 1}/{len(OTHER)}", "ETag": '"a"'},
        {"Content_Range": f"bytes 200000-{len(BODY) - 1}/{len(BODY)}", "ETag": '"b"'},
        {"Content_Range": f"bytes 100-{len(BODY) - 1}/{len(BODY)}", "ETag": '"a"'},
        {"Content_Range": f"bytes 200000-200100/{len(BODY)}", "ETag": '"a"'},
        {"Content_Range": "nonsense", "ETag": '"a"'},
        {"ETag": '"a"'},
    ],
)
def test_another_part_than_asked_is_never_joined(server: Script, tmp_path: Path, lie: dict[str, Any]) -> None:
    first = answer(200, BODY, send=200_000, length=len(BODY), ETag='"a"')
    server.acts = [first, answer(206, OTHER[200_000:], **lie), answer(200, OTHER, ETag='"b"')]
    assert whole(got(server, tmp_path), OTHER)
    assert "range" not in server.asked[2]


def test_a_range_refused_begins_anew(server: Script, tmp_path: Path) -> None:
    server.acts = [
        answer(200, BODY, send=200_000, length=len(BODY), ETag='"a"'), answer(416), answer(200, BODY)
    ]  # fmt: skip
    assert whole(got(server, tmp_path))


def test_a_server_that_never_heard_of_ranges(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, send=9, length=len(BODY), ETag='"a"'), answer(200, BODY, ETag='"a"')]
    assert whole(got(server, tmp_path))


@pytest.mark.parametrize("told", [1000, len(BODY) - 1])
def test_a_body_longer_than_told_is_not_a_file(server: Script, tmp_path: Path, told: int) -> None:
    server.acts = [answer(200, BODY, length=told)]
    with pytest.raises(DataError) as caught:
        got(server, tmp_path, replace(QUICK, tries=2))
    assert caught.value.code == "source-length-untrue"
    assert nothing_left(tmp_path)


def test_a_surplus_that_comes_late_is_seen(server: Script, tmp_path: Path) -> None:
    def act(handler: Handler) -> None:
        answer(200, b"a,b\n1,2\n")(handler)
        time.sleep(0.1)
        handler.wfile.write(b"3,4\n")

    server.acts = [act]
    with pytest.raises(DataError) as caught:
        got(server, tmp_path, replace(QUICK, tries=1))
    assert caught.value.code == "source-length-untrue"


def test_a_body_shorter_than_told_is_not_a_file(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, length=len(BODY) + 5)]
    with pytest.raises(DataError) as caught:
        got(server, tmp_path)
    assert caught.value.code == "source-cut-short"
    assert nothing_left(tmp_path)


def test_a_length_untold_is_refused(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, length=-1)]
    with pytest.raises(DataError) as caught:
        got(server, tmp_path)
    assert caught.value.code == "source-length-untold"


@pytest.mark.parametrize("ended", [True, False])
def test_chunks_say_themselves_whether_they_are_whole(server: Script, tmp_path: Path, ended: bool) -> None:
    def act(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(BODY), BODY) + (b"0\r\n\r\n" if ended else b""))
        handler.close_connection = True

    server.acts = [act]
    if ended:
        assert whole(got(server, tmp_path))
    else:
        with pytest.raises(DataError, match="source-cut-short"):
            got(server, tmp_path)


def test_a_drip_ends_when_time_is_up(server: Script, tmp_path: Path) -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(1500):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.acts = [drip]
    begun = time.monotonic()
    with pytest.raises(DataError) as caught:
        got(server, tmp_path, replace(QUICK, seconds=0.5))
    assert caught.value.code == "source-too-slow"
    assert time.monotonic() - begun < 20


def test_a_head_that_never_ends_ends_when_time_is_up(server: Script, tmp_path: Path) -> None:
    def act(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            handler.wfile.write(b"X")
            time.sleep(0.02)

    server.acts = [act]
    with pytest.raises(DataError) as caught:
        got(server, tmp_path, replace(QUICK, seconds=0.5))
    assert caught.value.code == "source-too-slow"


@pytest.mark.parametrize("told", [None, 10])
def test_size_is_bounded_whatever_is_told(server: Script, tmp_path: Path, told: int | None) -> None:
    server.acts = [answer(200, BODY, length=told)]
    bounds = replace(QUICK, size=1000, tries=1)
    with pytest.raises(DataError) as caught:
        got(server, tmp_path, bounds)
    assert caught.value.code == ("source-too-large" if told is None else "source-length-untrue")


def test_redirects_are_followed_and_bounded(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(302, Location="/moved/new name.csv"), answer(200, BODY)]
    done = got(server, tmp_path)
    assert whole(done)
    assert done.path is not None
    assert done.path.name == "new_name.csv"
    server.acts, server.asked = [answer(301, Location="/data/records.csv.gz")], []
    with pytest.raises(DataError) as caught:
        got(server, tmp_path)
    assert caught.value.code == "source-redirects-on"
    assert len(server.asked) == QUICK.redirects + 1


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.example/x", "http://u:p@a.example/x"])
def test_a_redirect_leads_nowhere_else(server: Script, tmp_path: Path, target: str) -> None:
    server.acts = [answer(302, Location=target)]
    with pytest.raises(AskError, match="address-not-fetchable"):
        got(server, tmp_path)


def test_unchanged_is_not_fetched(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(304, length=0)]
    done = got(server, tmp_path, known=Told('"a"', "Mon, 01 Apr 2024 00:00:00 GMT"))
    assert done.path is None
    assert server.asked[0]["if-none-match"] == '"a"'
    assert got(server, tmp_path, known=Told("", "Mon, 01 Apr 2024 00:00:00 GMT")).path is None
    assert server.asked[1]["if-modified-since"] == "Mon, 01 Apr 2024 00:00:00 GMT"


def test_unchanged_unasked_is_a_refusal(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(304, length=0)]
    with pytest.raises(DataError, match="status 304"):
        got(server, tmp_path)


def test_a_packed_body_is_unpacked_though_not_asked_for(server: Script, tmp_path: Path) -> None:
    import gzip

    server.acts = [answer(200, gzip.compress(BODY), Content_Encoding="gzip", ETag='"a"')]
    assert whole(got(server, tmp_path))
    server.acts = [answer(200, gzip.compress(BODY), Content_Encoding="gzip")]
    with pytest.raises(DataError, match="source-too-large"):
        got(server, tmp_path, replace(QUICK, size=10_000))
    server.acts = [answer(200, b"no gzip at all", Content_Encoding="gzip")]
    with pytest.raises(DataError, match="DecodingError"):
        got(server, tmp_path)


def test_a_checksum_is_minded(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY)]
    right = hashlib.sha256(BODY).hexdigest()
    assert whole(fetch(server.address, tmp_path, bounds=QUICK, allow_local=True, sha256=right.upper()))
    with pytest.raises(DataError, match="source-checksum-differs"):
        fetch(server.address, tmp_path / "b", bounds=QUICK, allow_local=True, sha256="0" * 64)
    assert nothing_left(tmp_path / "b")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"]
)
def test_private_addresses_are_refused(server: Script, tmp_path: Path, host: str) -> None:
    server.acts = [answer(200, BODY)]
    url = server.address.replace("127.0.0.1", host)
    with pytest.raises((AskError, DataError)) as caught:
        fetch(url, tmp_path, bounds=replace(QUICK, tries=1), wait=lambda _: None)
    assert caught.value.code in {"address-not-public", "source-cut-short"}
    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("10.0.0.1", False), ("172.16.3.4", False), ("192.168.1.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("224.0.0.1", False), ("0.0.0.0", False), ("255.255.255.255", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("::", False), ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False), ("::ffff:10.0.0.1", False), ("ff02::1", False), ("words", False),
        ("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True), ("64:ff9b::808:808", True),
    ],
)  # fmt: skip
def test_what_is_public(address: str, is_public: bool) -> None:
    assert public(address) is is_public


@pytest.mark.parametrize(
    "url", ["ftp://a.example/x", "file:///x", "/x", "", "http://", "http://u:secret@a.example/", "http://[::"]
)
def test_only_plain_web_addresses_are_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(AskError, match="address-not-fetchable") as caught:
        fetch(url, tmp_path)
    assert "secret" not in caught.value.message


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        fetch("http://127.0.0.1:9/x", tmp_path, bounds=QUICK, allow_local=True, wait=lambda _: None)
    assert caught.value.code == "source-cut-short"


def test_two_fetches_of_one_address_do_not_mix(server: Script, tmp_path: Path) -> None:
    place = tmp_path / hashlib.sha256(server.address.encode()).hexdigest()[:16]
    with one_at_a_time(place.with_suffix(".lock"), "fetch"), pytest.raises(AskError, match="already-running"):
        got(server, tmp_path)


def test_a_damaged_note_begins_anew(server: Script, tmp_path: Path) -> None:
    server.acts = [answer(200, BODY, send=9, length=len(BODY), ETag='"a"')]
    with pytest.raises(DataError):
        got(server, tmp_path, replace(QUICK, tries=1))
    next(tmp_path.rglob("told.json")).write_text("{torn")
    server.acts, server.asked = [answer(200, BODY)], []
    assert whole(got(server, tmp_path))
    assert "range" not in server.asked[0]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://a/b/c.csv.gz?x=1", "c.csv.gz"), ("http://a/", "download"), ("http://a/..%2f..%2fetc", "etc"),
        ("http://a/%2e%2e", "download"), ("http://a/é .xlsx", "__.xlsx"),
    ],
)  # fmt: skip
def test_names_are_plain(url: str, name: str) -> None:
    assert name_in(url) == name


def test_an_empty_folder_can_go_on_from_nothing(tmp_path: Path) -> None:
    assert Partial(tmp_path / "none").resumable() == (0, Told())
