"""The structure of the code: imports point one way, and only certain files know certain libraries."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "release_tool"

BASE = {"", "errors", "records"}
PURE = re.compile(
    r"actions|actions\.(commands|summary)|archive|checks|checks\.\w+|cockpit|cockpit\.\w+|config|config\.\w+|doctor|doctor\.\w+|evidence|fallback|health|health\.(series|presets|reach)|forecast|history|in_use|manifests|operations|operations\.\w+|planning|promotion"
    r"|outlook|report|report_\w+|retention|routes|routes\.\w+|states|tag_file|tag_reader|terminal|versions|wording|yaml_\w+"
)

MAY_IMPORT = {
    "base": {"base"},
    "pure": {"base", "pure"},
    "effects": {"base", "effects"},
    "publishing": {"base", "pure", "effects", "publishing"},
    "commands": {"base", "pure", "effects", "publishing", "commands"},
    "wiring": {"base", "pure", "effects", "publishing", "wiring"},
    "cli": {"base", "pure", "publishing", "commands", "wiring", "cli"},
}

ONLY_IMPORTERS = {
    "grpc": {"health.grpc"},
    "grpc_health": {"health.grpc"},
    "kubernetes": {"health.kubernetes"},
    "promql_parser": {"checks.promql"},
    "semver": {"versions"},
    "ruamel": {"yaml_events"},
    "git": {"working_tree", "commands.demo"},
    "subprocess": {"actions.again", "git.process", "git.database", "helm", "health.command", "registry.credentials"},
    "requests": {"transport", "registry.wire", "registry.failures"},
}


def group(module: str) -> str:
    if module in BASE:
        return "base"
    if PURE.fullmatch(module):
        return "pure"
    first = module.partition(".")[0]
    if first in {"publishing", "commands", "wiring"}:
        return first
    if first in {"usage", "health"}:  # like the wiring, they know an outside thing and the rules about it
        return "wiring"
    if module == "actions.again":  # an entry point, for action.yml
        return "cli"
    return "cli" if first in {"cli", "watching", "in_job", "__main__"} else "effects"


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def imports(tree: ast.Module) -> set[str]:
    """Everything that a module imports when it runs; what only the type checker reads doesn't count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(imported: set[str], known: set[str]) -> set[str]:
    names = {name.removeprefix("release_tool").lstrip(".") for name in imported if name.startswith("release_tool")}
    return names & known


def test_imports_point_one_way() -> None:
    found = modules()
    wrong = [
        f"{module} imports {imported}"
        for module, tree in found.items()
        for imported in own(imports(tree), set(found) - {""})
        if group(imported) not in MAY_IMPORT[group(module)]
    ]
    assert not wrong


def test_there_is_no_cycle() -> None:
    found = modules()
    waiting = {module: own(imports(tree), set(found) - {""}) - {module} for module, tree in found.items()}
    while waiting:
        free = {module for module, needs in waiting.items() if not needs & set(waiting)}
        assert free, f"a cycle among {sorted(waiting)}"
        waiting = {module: needs for module, needs in waiting.items() if module not in free}


def test_libraries_stay_in_their_files() -> None:
    for library, allowed in ONLY_IMPORTERS.items():
        users = {
            module
            for module, tree in modules().items()
            if any(name == library or name.startswith(f"{library}.") for name in imports(tree))
        }
        assert users <= allowed, f"{library} is imported by {users - allowed}"


def test_pure_modules_touch_nothing_outside() -> None:
    outside = {"os", "subprocess", "time", "random", "socket", "pathlib", "shutil", "tempfile", "logging", "sys"}
    found = modules()
    for module in [module for module in found if group(module) == "pure" and module != "config.schema"]:
        assert not {name.partition(".")[0] for name in imports(found[module])} & outside, module
