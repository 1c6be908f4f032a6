"""Without a forge nothing is found, and what would need one is refused."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from origin import Origin

from release_tool import forges
from release_tool.errors import Refused
from release_tool.git.repository import Repository


def test_without_a_forge_nothing_is_proposed(tmp_path: Path) -> None:
    origin = Origin.make(tmp_path / "origin.git")
    with Repository.open(None, origin.url) as repository:
        forge = forges.connect("none", repository, lambda: datetime.now(timezone.utc))
        assert (forge.capabilities.kind, forge.capabilities.proposes) == ("none", False)
        tip = origin.tip()
        assert tip is not None
        nothing = (forge.find_open("a", "b"), forge.last_finished("a", "b"), forge.landed_at(tip), forge.list())
        assert nothing == (None, None, None, ())
        for use in (
            lambda: forge.open("a", "b", "", ""),
            lambda: forge.update(1, "", ""),
            lambda: forge.close(1),
            lambda: forge.comment(1, ""),
            lambda: forge.get(1),
            lambda: forge.merge(1),
        ):
            with pytest.raises(Refused, match="there are no pull requests"):
                use()
    assert list(origin.refs()) == ["refs/heads/main"]
