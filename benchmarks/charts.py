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
    return [row(f"{RENDERINGS} renderings of {MANY} versions / of {FEW}", many, few, MANY / FEW)]
