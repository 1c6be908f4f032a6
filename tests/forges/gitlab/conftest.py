"""GitLab's stand-in for the tests of this folder; it verifies itself at the end of each test."""

from __future__ import annotations

import pytest
from fixtures import gitlab, no_proxy  # noqa: F401
from gitlab_shop import Desk
from gitlab_standin import GitLab


@pytest.fixture
def desk(gitlab: GitLab) -> Desk:  # noqa: F811
    return Desk(gitlab)
