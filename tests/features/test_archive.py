from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path

import pytest

from features import archive
from features.errors import AskError, DataError, ForecarbonError


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """An archive of three files."""
    place = tmp_path / "place"
    (place / "in").mkdir(parents=True)
    for name, text in (("a", b"first"), ("in/b", b"x" * 3000), ("empty", b"")):
        (place / name).write_bytes(text)
    archive.write(
        tmp_path / "a.tar", [(name, place / name) for name in ("a", "in/b", "empty", "gone")], {"n": 1}
    )
    return tmp_path / "a.tar"


def test_what_goes_in_comes_out(held: Path, tmp_path: Path) -> None:
    manifest = archive.checked(held)
    assert (dict(manifest.facts), sorted(manifest.files), manifest.size) == (
        {"n": 1},
        ["a", "empty", "in/b"],
        3005,
    )
    archive.unpack(held, tmp_path / "out", manifest)
    assert (tmp_path / "out" / "in" / "b").read_bytes() == b"x" * 3000
    assert held.stat().st_mode & 0o777 == 0o600
    with tarfile.open(held) as tar:
        assert tar.getnames()[-1] == archive.MANIFEST


def test_cut_off_anywhere_it_is_refused(held: Path, tmp_path: Path) -> None:
    whole, cut = held.read_bytes(), tmp_path / "cut.tar"
    with tarfile.open(held) as tar:
        last = tar.getmember(archive.MANIFEST)
        end = last.offset_data + last.size
    for length in {*range(0, end, 97), end - 1}:
        cut.write_bytes(whole[:length])
        with pytest.raises(DataError, match="backup-damaged"):
            archive.checked(cut)


def test_a_flipped_bit_is_refused_or_changes_nothing(held: Path, tmp_path: Path) -> None:
    whole, bent, true = held.read_bytes(), tmp_path / "bent.tar", archive.checked(held)
    draw, refused = random.Random(7), 0
    for _ in range(400):
        at = draw.randrange(len(whole))
        bent.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :])
        try:
            assert archive.checked(bent) == true
        except DataError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("name", ["../out", "/etc/out", "in/../../out", "./a", "in//b", "a\\b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        head = tarfile.TarInfo(name)
        head.size = 1
        tar.addfile(head, io.BytesIO(b"x"))
    with pytest.raises(DataError, match="no plain file below its folder"):
        archive.checked(tmp_path / "bad.tar")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        head = tarfile.TarInfo("a")
        head.type, head.linkname = kind, "/etc/passwd"
        tar.addfile(head)
    with pytest.raises(DataError, match="no plain file below its folder"):
        archive.checked(tmp_path / "bad.tar")


def test_other_files_are_told_from_archives(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(DataError, match="backup-damaged"):
        archive.checked(tmp_path / "text")
    with pytest.raises(AskError, match="no-backup"):
        archive.checked(tmp_path / "none")
    with pytest.raises(AskError, match="no-backup"):
        archive.checked(tmp_path)


def test_a_newer_format_is_told(held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(archive, "FORMAT", 99)
        archive.write(tmp_path / "new.tar", [], {})
    with pytest.raises(DataError, match="backup-newer"):
        archive.checked(tmp_path / "new.tar")


def test_what_changes_between_is_not_kept(held: Path, tmp_path: Path) -> None:
    manifest = archive.checked(held)
    other = archive.Manifest(manifest.facts, {**manifest.files, "a": (5, "0" * 64)})
    with pytest.raises(ForecarbonError, match="changed while it was read"):
        archive.unpack(held, tmp_path / "out", other)
    assert not (tmp_path / "out").exists()
