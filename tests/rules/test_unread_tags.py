"""Tags that the configured order can't read: what the tool advises."""

from __future__ import annotations

import pytest

from release_tool.model.versions import is_readable
from release_tool.rules.unread_tags import advice


@pytest.mark.parametrize(
    ("tags", "order", "said"),
    [
        (["engine-v1.0.2", "engine-v1.0.3"], "semver",
         "`versions: {order: semver, pattern: 'engine-v(?P<version>.+)'}` reads 2 of 2"),
        (["a.b-1.0.2"], "semver", "`versions: {order: semver, pattern: 'a[.]b-(?P<version>.+)'}` reads 1 of 1"),
        (["build-12", "build-13"], "semver", "`versions: {order: number}` reads 2 of 2"),
        (["2026.01.02", "2026.11.3"], "semver", "`versions: {order: calver}` reads 2 of 2"),
        (["version-3.0.4.993"], "semver", "`versions: {order: arrival}` takes tags as they come"),
        (["latest", "1.0.2"], "semver", "`versions.allow` keeps such tags out"),
    ],
)  # fmt: skip
def test_the_order_or_pattern_that_reads_most_is_advised(tags: list[str], order: str, said: str) -> None:
    assert not all(is_readable(order, tag) for tag in tags)
    assert advice(order, tags) == said
