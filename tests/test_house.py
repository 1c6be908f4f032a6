"""The structure of the code: folders import only from folders above them, and few files know a library."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "release_tool"

# A folder imports from itself and from the lines above its own. The folders above `net` are pure.
LAYERS = """
    errors safe_text
    model
    yamledit
    config tagfile manifests
    rules
    checks pull_request
    net
    git
    forges helm registry health
    remote
    publishing
    doctor
    commands
    report
    actions
    wiring
    cli
    __main__
""".strip().splitlines()
PURE = " ".join([*LAYERS[1:6], "report"]).split()
OUTSIDE = {"os", "subprocess", "time", "random", "socket", "pathlib", "shutil", "tempfile", "logging", "sys"}

ONLY_IMPORTERS = {
    "grpc": {"health.grpc"},
    "grpc_health": {"health.grpc"},
    "kubernetes": {"health.cluster"},
    "promql_parser": {"checks.promql"},
    "semver": {"model.versions"},
    "ruamel": {"yamledit.parser"},
    "shtab": {"cli.completion"},
    "git": {"git.working_tree", "commands.demo"},
    "subprocess": {
        "actions.install",
        "actions.rerun",
        "actions.signing",
        "cli.pager",
        "git.process",
        "health.command",
        "registry.credentials",
    }
    | {"helm.child", "helm.installed", "helm.limits", "helm.program"},
    "requests": {"net.transport"},
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package, by its name in it."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def imports(tree: ast.Module) -> set[str]:
    """Everything that a module imports, at its top, inside functions, and for types alone."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(tree: ast.Module) -> set[str]:
    """The modules of the package that a module imports."""
    names = {name.removeprefix("release_tool.") for name in imports(tree) if name.startswith("release_tool.")}
    return names & set(modules())


def layer(module: str) -> int:
    folder = module.partition(".")[0]
    return next(number for number, line in enumerate(LAYERS) if folder in line.split())


def test_imports_point_one_way() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, tree in modules().items()
        for other in own(tree)
        if module.partition(".")[0] != other.partition(".")[0] and layer(module) <= layer(other)
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_there_is_no_circle() -> None:
    waiting = {module: own(tree) - {module} for module, tree in modules().items()}
    while waiting:
        free = {module for module, needs in waiting.items() if not needs & set(waiting)}
        assert free, f"a circle among {sorted(waiting)}"
        waiting = {module: needs for module, needs in waiting.items() if module not in free}


def test_libraries_stay_in_their_files() -> None:
    for library, allowed in ONLY_IMPORTERS.items():
        users = {
            module
            for module, tree in modules().items()
            if any(name == library or name.startswith(f"{library}.") for name in imports(tree))
        }
        assert users <= allowed, f"{library} is imported by {users - allowed}"


def test_pure_folders_touch_nothing_outside() -> None:
    for module, tree in modules().items():
        if module.partition(".")[0] in PURE:
            assert not {name.partition(".")[0] for name in imports(tree)} & OUTSIDE, module


def test_the_root_holds_five_files() -> None:
    names = {path.name for path in PACKAGE.glob("*.py")}
    assert names == {"__init__.py", "__main__.py", "wiring.py", "errors.py", "safe_text.py"}


def test_one_name_means_one_class() -> None:
    places: dict[str, list[str]] = {}
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert not {name: found for name, found in places.items() if len(found) > 1}
