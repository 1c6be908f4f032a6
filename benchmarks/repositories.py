"""Repositories to measure on: a small one and one of 20,000 files, each with a checkout one commit behind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent

CONFIG = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
environments:
  devel: {default: newest, retention: {keep: 8}}
"""

TAGS = "image:\n  default: v4\n  tag:\n  - v1.0.1\n  - v1.0.2\n  - v1.0.3\n  - v1.0.4\n"

PLAIN = """\
set -e
git fetch -q origin main
git reset -q --hard FETCH_HEAD
sed -i 's/default: v4/default: v5/; s/^  - v1.0.4$/&\\n  - v1.0.5/' environments/devel/image_tag.yaml
echo '{"schema": 1, "id": "01", "operation": "bump"}' >> environments/devel/history.jsonl
git add environments/devel
git commit -q -m 'devel: bump v1.0.5'
git push -q origin HEAD:main
"""

PLAIN_WITHOUT_CHECKOUT = """\
set -e
git clone -q --depth 1 --filter=blob:none --sparse "$1" work
cd work
git sparse-checkout set environments/devel
sed -i 's/default: v4/default: v5/; s/^  - v1.0.4$/&\\n  - v1.0.5/' environments/devel/image_tag.yaml
echo '{"schema": 1, "id": "01", "operation": "bump"}' >> environments/devel/history.jsonl
git add environments/devel
git commit -q -m 'devel: bump v1.0.5'
git push -q origin HEAD:main
"""


def git(*arguments: str, cwd: Path) -> None:
    subprocess.run(
        ["git", "-c", "gc.auto=0", *arguments], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


class Template:
    """A repository that is made once and copied for every run.

    Args:
        directory: where to make it.
        files: how many files it has beside those that matter.
        others: path -> text of files in the place of the usual ones.
    """

    def __init__(self, directory: Path, files: int, others: Mapping[str, str] | None = None) -> None:
        self.origin = directory / "template.git"
        self.checkout = directory / "template"
        self.copy = directory / "run"
        directory.mkdir()
        git("init", "-q", "--bare", "-b", "main", str(self.origin), cwd=directory)
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            git("config", key, "true", cwd=self.origin)
        git("config", "gc.auto", "0", cwd=self.origin)
        git("init", "-q", "-b", "main", str(self.checkout), cwd=directory)
        git("remote", "add", "origin", "../origin.git", cwd=self.checkout)
        self._write(files, others or {})
        git("add", "-A", cwd=self.checkout)
        git("commit", "-qm", "Begin", cwd=self.checkout)
        git("commit", "-q", "--allow-empty", "-m", "Somebody else was here", cwd=self.checkout)
        git("push", "-q", str(self.origin), "main", cwd=self.checkout)
        git("reset", "-q", "--hard", "HEAD^", cwd=self.checkout)
        (self.checkout / ".git" / "ORIG_HEAD").unlink()  # or the checkout would still hold what is to be fetched
        git("reflog", "expire", "--expire=now", "--all", cwd=self.checkout)
        for place in (self.origin, self.checkout):
            git("gc", "-q", "--prune=now", cwd=place)

    def _write(self, files: int, others: Mapping[str, str]) -> None:
        shutil.copytree(ROOT / "charts", self.checkout / "charts")
        wanted = {"release.yaml": CONFIG, "environments/devel/image_tag.yaml": TAGS, **others}
        wanted |= {f"services/{number % 200}/{number}.yaml": f"number: {number}\n" for number in range(files)}
        for name, text in wanted.items():
            path = self.checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def fresh(self) -> None:
        """A new copy to run on: `<copy>/origin.git`, and the checkout `<copy>/work` that is one commit behind."""
        shutil.rmtree(self.copy, ignore_errors=True)
        self.copy.mkdir()
        for source, name in ((self.origin, "origin.git"), (self.checkout, "work")):
            subprocess.run(["cp", "-al", str(source), str(self.copy / name)], check=True)

    def fresh_without_checkout(self) -> None:
        """The same, without a checkout."""
        shutil.rmtree(self.copy, ignore_errors=True)
        self.copy.mkdir()
        subprocess.run(["cp", "-al", str(self.origin), str(self.copy / "origin.git")], check=True)
