"""Archives of charts are hostile until they are read."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from release_tool.errors import ReleaseError
from release_tool.helm.archive import unpacked, with_archives_unpacked
from release_tool.helm.embedded import packed

GOOD = {"Chart.yaml": b"name: x\n", "templates/a.yaml": b"a: 1\n"}


def archive(name: str = "x/a", content: bytes = b"1", kind: bytes = tarfile.REGTYPE, **more: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        entry = tarfile.TarInfo(name)
        entry.type, entry.size = kind, len(content)
        for key, value in more.items():
            setattr(entry, key, value)
        made.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def test_the_files_of_an_archive_are_read() -> None:
    assert unpacked(packed(GOOD), "x.tgz") == GOOD
    one = packed(GOOD)
    assert unpacked(gzip.compress(gzip.decompress(one)[:700]) + gzip.compress(gzip.decompress(one)[700:]), "x") == GOOD


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"no archive", "this is no archive of a chart"),
        (packed(GOOD)[:-9], "this is no archive of a chart"),
        (gzip.compress(b"no tar" * 1000), "this is no archive of a chart"),
        (gzip.compress(bytes(2048)), "the archive is empty"),
        (archive("x/../../etc/passwd"), "which is no file inside a chart"),
        (archive("/etc/passwd/../x"), "which is no file inside a chart"),
        (archive("Chart.yaml"), "which is no file inside a chart"),
        (archive("x/a\\b"), "which is no file inside a chart"),
        (archive(kind=tarfile.SYMTYPE, content=b"", linkname="/etc/passwd"), "which is a link or a device"),
        (archive(kind=tarfile.LNKTYPE, content=b"", linkname="x/b"), "which is a link or a device"),
        (archive(kind=tarfile.FIFOTYPE, content=b""), "which is a link or a device"),
        (archive(content=bytes((5 << 20) + 1)), "in the archive has more than 5 MB"),
        (gzip.compress(bytes((100 << 20) + 1), 1), "the chart has more than 100 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_archive_of_a_chart_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        unpacked(data, "charts/x/charts/y.tgz")
    assert what in caught.value.what
    assert caught.value.where == "charts/x/charts/y.tgz"


def test_archives_in_archives_become_directories() -> None:
    sub, deep = {**GOOD, "Chart.yaml": b"name: 'sub'\n"}, {"Chart.yaml": b"no name"}
    inner = packed({**sub, "charts/deep-1.0.0.tgz": packed(deep)})
    files = {**GOOD, "charts/x-1.0.0.tgz": inner, "charts/_off.tgz": b"no", "files/x.tgz": b"no"}
    found, origins = with_archives_unpacked(files, "charts/x")
    assert found.keys() - files.keys() == {
        *(f"charts/sub/{path}" for path in sub),
        "charts/sub/charts/deep-1.0.0/Chart.yaml",
    }
    assert origins["charts/sub"] == "charts/x/charts/x-1.0.0.tgz"
