"""Renderings of the chart inside one process."""

from __future__ import annotations

from pathlib import Path

from benchmarks.timing import Side, in_turn, nothing, row

CHART = Path(__file__).resolve().parents[1] / "charts" / "grpc-manifest"
RENDERINGS = 100
FEW, MANY = 5, 50


def render_rows(runs: int) -> list[str]:
    """A hundred renderings of fifty versions, and of five: the medians are of all hundred."""
    from release_tool.helm import make_renderer
    from release_tool.helm.request import RenderRequest, ValuesFile

    engine = make_renderer("auto")
    files = {str(path.relative_to(CHART)): path.read_bytes() for path in sorted(CHART.rglob("*")) if path.is_file()}

    def side(versions: int) -> Side:
        tags = "".join(f"  - v1.0.{number}\n" for number in range(1, versions + 1))
        values = ValuesFile("image_tag.yaml", f"image:\n  tag:\n{tags}")
        request = RenderRequest("charts/grpc-manifest", files, (values,), "engine", "engine")

        def run() -> None:
            for _ in range(RENDERINGS):
                engine.render(request)

        return Side(f"{versions} versions", nothing, run)

    many, few = in_turn([side(MANY), side(FEW)], max(3, runs // 3))
    rows = [row(f"{RENDERINGS} renderings of {MANY} versions / of {FEW}", many, few, MANY / FEW)]
    return [*rows, *_trial_rows(files, runs)]


def _trial_rows(files: dict[str, bytes], runs: int) -> list[str]:
    """What the chart can do with versions, tried in this process: all trials, and one rendering."""
    from itertools import count

    from release_tool.checks.chart import abilities
    from release_tool.helm import make_renderer
    from release_tool.helm.request import RenderRequest, ValuesFile
    from release_tool.manifests import probe
    from release_tool.manifests.templates import Templates
    from release_tool.model.records import Name, Tag

    engine, numbers = make_renderer("auto", inside=True), count()

    def render(text: str) -> str:
        values = ValuesFile("image_tag.yaml", text)
        return engine.render(RenderRequest("charts/grpc-manifest", files, (values,), "engine", "engine"))

    def written(*, is_list: bool) -> probe.Written:
        number = next(numbers)  # other tags each time: what is read of a text is kept
        tags = {Name(f"v{one}"): Tag(f"v1.{number}.{one}") for one in range(1, 5)}
        return probe.Written(tags, Name("v4"), is_list, moves=True)

    def trials(*, is_list: bool) -> Side:
        def run() -> None:
            tried = probe.try_out(render, written(is_list=is_list), "engine")
            abilities(tried, Templates(files, lambda path: f"charts/grpc-manifest/{path}"))

        return Side("a list" if is_list else "a mapping", nothing, run)

    def once() -> None:
        tags = written(is_list=True)
        render(tags.text(default="v4", tag=[*tags.versions.values()]))

    sides = [trials(is_list=True), trials(is_list=False), Side("a rendering", nothing, once)]
    a_list, a_mapping, one = in_turn(sides, runs * 3)
    said = "trials of the chart, {} / one rendering"
    return [row(said.format("a list"), a_list, one, 6), row(said.format("a mapping"), a_mapping, one, 5)]
