"""Where in a chart something could change."""

from __future__ import annotations

import pytest

from release_tool.manifests.templates import Templates

READ = "{{ range $name, $tag := .Values.image.tag }}"


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ({"templates/a.yaml": READ}, ""),
        ({"templates/a.yaml": READ.replace("image", "app.image")}, "app.image"),
        ({"templates/a.yaml": READ.replace(".Values.image", "$.Values.app")}, "app"),
        ({"templates/a.yaml": READ.replace("image", "app.image"), "templates/b.tpl": READ}, ""),
        ({"templates/a.yaml": READ.replace("image", "a"), "templates/b.yaml": READ.replace("image", "b")}, ""),
        ({"charts/engine-1.0.0/templates/a.yaml": READ, "charts/engine-1.0.0/Chart.yaml": "name: engine\n"}, "engine.image"),
        ({"charts/e/templates/a.yaml": READ, "charts/e/Chart.yaml": "name: e", "Chart.yaml": "dependencies: [{alias: x}]"}, ""),
        ({"templates/a.yaml": "{{ .Values.image.tags }} {{ .Values.tag }}"}, ""),
    ],
)  # fmt: skip
def test_the_key_that_a_chart_reads_is_named_where_it_is_one_other_alone(files: dict[str, str], key: str) -> None:
    templates = Templates({path: text.encode() for path, text in files.items()}, lambda path: f"charts/own/{path}")
    way = f"set `versions: {{key: {key}}}` in release.yaml, and move the versions below `{key}`, where the chart seems"
    assert templates.reads_elsewhere("image") == (f"{way} to read them" if key else "")
