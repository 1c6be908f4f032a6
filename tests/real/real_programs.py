"""The real programs that tests/real runs: built from their Go modules into .cache/real, once for each version.

`make real-programs` runs this file; `programs/*/go.mod` names the versions. A program that is there in the version that its
`go.mod` asks for is not built again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(__file__).resolve().parent / "programs"
BUILT = ROOT / ".cache" / "real"
KUBERNETES = "-X k8s.io/component-base/version."


class Program(NamedTuple):
    """`folder`: of its go.mod; `package`: what is built, in the module that its first elements name; `flags`: for the linker."""

    folder: str
    package: str
    module: str
    flags: str = ""
    tags: str = ""


def _kubernetes(name: str) -> Program:
    # The version is what the server says it is; without it kubectl and Helm take it for 0.0.0.
    said = f"{KUBERNETES}gitVersion=v1.36.3 {KUBERNETES}gitMajor=1 {KUBERNETES}gitMinor=36"
    return Program("kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", said)


def _flux(name: str) -> Program:
    return Program("flux", f"github.com/fluxcd/{name}", f"github.com/fluxcd/{name}")


ARGO_CD = "github.com/argoproj/argo-cd/v3"
PROGRAMS = {
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kubectl": _kubernetes("kubectl"),
    "argocd": Program("argo-cd", f"{ARGO_CD}/cmd", ARGO_CD),
    "gitea": Program("gitea", "code.gitea.io/gitea", "code.gitea.io/gitea", "-X main.Version=1.26.0", "sqlite sqlite_unlock_notify"),
    "gitea-runner": Program("gitea-runner", "gitea.com/gitea/runner", "gitea.com/gitea/runner"),
    "source-controller": _flux("source-controller"),
    "kustomize-controller": _flux("kustomize-controller"),
}  # fmt: skip
CALLED = {f"argocd-{part}": "argocd" for part in ("repo-server", "application-controller", "server")}
"""Argo CD is one program: the name that it is called by chooses the part."""

DEFINITIONS = {
    "argocd": ("argo-cd", ARGO_CD, "manifests/crds/a*.yaml"),
    "source-controller": ("flux", "github.com/fluxcd/source-controller", "config/crd/bases/*.yaml"),
    "kustomize-controller": ("flux", "github.com/fluxcd/kustomize-controller", "config/crd/bases/*.yaml"),
}
"""Name -> folder, module and files of the CustomResourceDefinitions that come with a program."""

FILES = {"gitea-files": ("gitea", "code.gitea.io/gitea", ("options", "templates", "public"))}
"""Name -> folder, module and folders of what a program reads while it runs."""

ON_EVERY_ADDRESS = {"argocd": ("controller/appcontroller.go", '"0.0.0.0:%d"', '"127.0.0.1:%d"')}
"""A program whose own options leave a port open to everybody: file of its module, text, what stands there instead."""


def definitions(name: str) -> Path:
    return BUILT / f"{name}-definitions.yaml"


def missing(*names: str) -> list[str]:
    """The programs and Debian's servers that a test needs and that are not here."""
    return [name for name in names if not (BUILT / name).exists() and shutil.which(name) is None]


def path(name: str) -> str:
    found = BUILT / name
    return str(found) if found.exists() else name


def version(name: str) -> str:
    return _version(PROGRAMS[name].folder, PROGRAMS[name].module)


def server(name: str, *arguments: str) -> list[str]:
    """The command of a server that dies with the tests, also where these are killed."""
    program = path(name)
    return [*(["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []), program, *arguments]


def main(*names: str) -> None:
    """Builds these programs, or all."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for name, program in PROGRAMS.items():
        if names and name not in names:
            continue
        wanted = _version(program.folder, program.module)
        if _built(BUILT / name) == f"{program.module} {wanted}":
            continue
        print(f"{name} {wanted}, from {program.module}: ", end="", flush=True)
        started = time.monotonic()
        _build(name, program)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    _lay_out(names or (*PROGRAMS, *DEFINITIONS))


def _lay_out(names: Sequence[str]) -> None:
    """What belongs to these programs: their other names, definitions, and files."""
    for link, target in CALLED.items():
        if not (BUILT / link).is_symlink():
            (BUILT / link).symlink_to(target)
    for name, (folder, module, files) in DEFINITIONS.items():
        if name in names and not definitions(name).exists():
            found = sorted(_source(folder, module).glob(files))
            definitions(name).write_text("\n---\n".join(file.read_text("utf-8") for file in found), "utf-8")
    for name, (folder, module, parts) in FILES.items():
        if folder in names and not (BUILT / name).exists():
            with tempfile.TemporaryDirectory(dir=BUILT) as scratch:
                for part in parts:
                    _copy(_source(folder, module) / part, Path(scratch) / name / part)
                (Path(scratch) / name).rename(BUILT / name)


def _build(name: str, program: Program) -> None:
    with tempfile.TemporaryDirectory(dir=BUILT) as scratch:
        out = Path(scratch) / name
        command = ["go", "build", "-ldflags", f"-s -w {program.flags}", "-tags", program.tags, "-o", str(out)]
        if name in ON_EVERY_ADDRESS:
            command += ["-modfile", str(_changed(Path(scratch), program, *ON_EVERY_ADDRESS[name]))]
        _go(program.folder, *command[1:], program.package)
        out.replace(BUILT / name)


def _changed(scratch: Path, program: Program, file: str, before: str, after: str) -> Path:
    """A go.mod that takes the program from a copy of its module with another text in one file."""
    copy = scratch / "source"
    _copy(_source(program.folder, program.module), copy)
    text = (copy / file).read_text("utf-8")
    assert text.count(before) == 1, f"{program.module}/{file} no longer has one {before}"
    (copy / file).write_text(text.replace(before, after), "utf-8")
    for kind in ("mod", "sum"):
        shutil.copyfile(MODULES / program.folder / f"go.{kind}", scratch / f"go.{kind}")
    _go(program.folder, "mod", "edit", f"-replace={program.module}={copy}", str(scratch / "go.mod"))
    return scratch / "go.mod"


def _copy(source: Path, copy: Path) -> None:
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)  # read only, as in the cache of Go


def _version(folder: str, module: str) -> str:
    found = re.search(rf"^\s*{re.escape(module)} (\S+)", (MODULES / folder / "go.mod").read_text("utf-8"), re.MULTILINE)
    assert found, f"{module} is not required by {folder}/go.mod"
    return found[1]


def _built(program: Path) -> str:
    """Module and version that a program was built from."""
    if not program.exists():
        return ""
    shown = subprocess.run(["go", "version", "-m", str(program)], check=False, capture_output=True, text=True)
    found = re.search(r"^\tmod\t(\S+)\t(\S+)", shown.stdout, re.MULTILINE)
    return f"{found[1]} {found[2]}" if found else ""


def _source(folder: str, module: str) -> Path:
    _go(folder, "mod", "download", module)
    return Path(_go(folder, "list", "-m", "-f", "{{.Dir}}", module))


def _go(folder: str, *arguments: str) -> str:
    # GOWORK: Kubernetes' own workspace names folders that its module doesn't hold.
    environment = {**os.environ, "GOWORK": "off"}
    command = ["go", *arguments]
    done = subprocess.run(
        command, cwd=MODULES / folder, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"failed: {' '.join(command)} (in {MODULES / folder})")
    return done.stdout.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
