"""Whatever a chart renders, it is judged, or refused with our own error that names the template."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import strategies as st
from junk_yaml import WRITTEN, Change, Written, changed, changes, mappings, text_of
from manifests_by_hand import INTACT, rendering
from model_builders import law

from release_tool import manifests
from release_tool.errors import ReleaseError
from release_tool.manifests import routes

GOOD = {name: yaml.safe_load(text) for name, text in INTACT.items()}
KEYS = sorted({key for one in mappings(GOOD) for key in one})
WORDS = ["", "v2", "v3", "default", "engine", "a=b", "*", "GATEWAY", "app=", "\u2028", "mesh", "1"]


def judge(text: str) -> list[ReleaseError]:
    """All that is ever asked of a rendering; the refusals."""
    before, refused = rendering(INTACT), []
    for ask in (
        lambda: manifests.objects(text),
        lambda: routes.check(text, "shop"),
        lambda: manifests.difference_text(manifests.difference(before, text)),
        lambda: manifests.difference_text(manifests.difference(text, before)),
        lambda: routes.compare(before, text, "shop"),
        lambda: routes.compare(text, before, "shop"),
    ):
        try:
            ask()
        except ReleaseError as error:
            refused.append(error)
    return refused


@law(st.sampled_from(sorted(GOOD)), changes(st.sampled_from(WORDS), KEYS), examples=100)
def test_a_rendering_is_judged_or_refused_with_our_own_error(name: str, edits: list[Change]) -> None:
    judge(rendering({**INTACT, name: text_of(changed(GOOD[name], edits)) + "\n"}))


LIST = "&a {apiVersion: v1, kind: List, items: [*a]}"  # that holds itself
ODD = ["!!bool z", "!!int ''", "!!null x", "!!omap x", "!!pairs [a]", "!!python/name:os.system", "&a {? *a : b}"]
LAUGHS = "{a0: &a0 [x], " + ", ".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)) + "}"


@pytest.mark.parametrize("value", [*WRITTEN, *ODD, LIST, LAUGHS, "[" * 5000 + "]" * 5000], ids=lambda text: text[:20])
@pytest.mark.parametrize(
    ("name", "key"), [("v2", "labels"), ("routes", "http"), ("rule", "subsets"), ("service", "metadata")]
)
def test_an_odd_value_is_judged_or_refused_with_our_own_error(name: str, key: str, value: str) -> None:
    data = yaml.safe_load(INTACT[name])
    (one, *_) = [one for one in mappings(data) if key in one]
    one[key] = Written(value)
    for refused in judge(rendering({**INTACT, name: text_of(data) + "\n"})):
        assert refused.where == f"engine/templates/{name}.yaml"


OBJECT = "{{apiVersion: v1, kind: X, metadata: {{name: x}}, spec: {}}}"


@pytest.mark.parametrize(("text", "said"), [
    (LIST, "aliases that expand too far"),
    (OBJECT.format(LAUGHS), "aliases that expand too far"),
    (OBJECT.format("!!int z"), "what is no YAML: invalid literal for int() with base 10: 'z'"),
    (OBJECT.format("9" * 5001), "what is no YAML: Exceeds the limit (4300 digits)"),
    (OBJECT.format("["), "what is no YAML: did not find expected node content, line 1 of the object"),
], ids=lambda text: text[-25:])  # fmt: skip
def test_what_no_cluster_could_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(ReleaseError) as refused:
        manifests.objects(rendering({"odd": f"{text}\n"}))
    assert refused.value.what.startswith(f"the chart renders {said}")
