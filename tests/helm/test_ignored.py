"""`.helmignore` is read as Helm reads it: the same files stay as those that Helm loads of a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_tool.errors import ReleaseError
from release_tool.helm.ignored import kept

PATHS = """
    a.txt b.txt ab.txt .hidden d/a.txt d/e/a.txt d/e/b.yaml templates/a.yaml templates/.a.yaml
    templates/d/.a.yaml templates/tests/a.yaml [x].txt a-b.txt ü.txt
""".split()  # noqa: SIM905 -- a list in one line
RULES = [
    *["a.txt", "/a.txt", "d/", "d", "/d", "d/e/", "d/*", "d/*.txt", "*/a.txt", "?.txt", "[ab].txt", "[^a].txt", "[a-c]b.txt"],
    *["*", "!a.txt", "!d/", "# no\n\n  b.txt  ", "templates/tests", "tests/", "\\[x].txt", "[!a].txt", "a[a-]b.txt", "ü*", "*.t"],
    *["!*.txt\n*.yaml", "a.txt/", "/templates/*.yaml", "[\\-a].txt", "templates/.?*", "[]a]", "a**", "[", "a\\", "[a-]x", "[^]"],
    *["[a", "[b-a].txt", "/", "!", "[[].txt", "[^\\]a].txt"],
]  # fmt: skip


@pytest.mark.parametrize("rules", RULES)
def test_the_same_files_stay_as_with_helm(rules: str, tmp_path: Path) -> None:
    helm = pytest.importorskip("helm_python")
    files = {"Chart.yaml": b"apiVersion: v2\nname: x\nversion: 1.0.0\n", **dict.fromkeys(PATHS, b"")}
    files[".helmignore"] = f"Chart.yam\n{rules}\n".encode()
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    try:
        with helm.Chart.load(tmp_path) as loaded:
            expected = {"Chart.yaml", *(one["name"] for one in (*loaded.files, *loaded.templates))}
    except helm.HelmError as error:
        if "Chart.yaml file is missing" in str(error):
            assert "Chart.yaml" not in kept(files, "x")
            return
        with pytest.raises(ReleaseError) as caught:
            kept(files, "x")
        assert caught.value.where.startswith("x/.helmignore:")
        return
    assert kept(files, "x").keys() == expected
