"""The login at an image registry that the inputs of `action.yml` ask for."""

from __future__ import annotations

import pytest

from release_tool.actions import image_registry
from release_tool.errors import UsageError
from release_tool.registry.credentials import find

JOB = {"RELEASE_JOB_TOKEN": "ghs_0123", "GITHUB_ACTOR": "octo", "GITHUB_SERVER_URL": "https://github.com"}


def login(monkeypatch: pytest.MonkeyPatch, host: str, **given: str) -> tuple[str, ...] | None:
    """What the command then finds for a host."""
    for name, value in image_registry.variables({**JOB, **given}).items():
        monkeypatch.setenv(name, value)
    return find(host, 1)


def test_the_jobs_token_is_for_the_registry_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    assert login(monkeypatch, "ghcr.io", RELEASE_REGISTRY="ghcr.io") == ("octo", "ghs_0123", "", "")
    server = {"GITHUB_SERVER_URL": "https://github.acme.example", "RELEASE_REGISTRY": "containers.github.acme.example"}
    assert login(monkeypatch, "containers.github.acme.example", **server) == ("octo", "ghs_0123", "", "")
    assert login(monkeypatch, "ghcr.io") is None, "another host"


@pytest.mark.parametrize("host", ["registry.example.com", "ghcr.io.example.com", "containers.github.com"])
def test_the_jobs_token_is_sent_to_no_other_registry(host: str) -> None:
    with pytest.raises(UsageError, match=f"names {host}, and no username is given") as error:
        image_registry.variables({**JOB, "RELEASE_REGISTRY": host})
    assert "input `registry-username`" in error.value.hint
    with pytest.raises(UsageError, match="no password") as error:
        image_registry.variables({**JOB, "RELEASE_REGISTRY": host, "RELEASE_REGISTRY_USERNAME": "robot"})
    assert "RELEASE_REGISTRY_PASSWORD" in error.value.hint
    assert "ghs_0123" not in str(error.value)


def test_a_password_is_for_the_registry_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"RELEASE_REGISTRY_USERNAME": "robot$ci", "RELEASE_REGISTRY_PASSWORD": "p:w d"}
    assert login(monkeypatch, "registry.example.com:5000", RELEASE_REGISTRY="registry.example.com:5000", **given) == (
        "robot$ci", "p:w d", "", "",
    )  # fmt: skip
    own = {**given, "RELEASE_REGISTRY": "ghcr.io"}
    assert login(monkeypatch, "ghcr.io", **own) == ("robot$ci", "p:w d", "", ""), "a token of one's own comes first"


@pytest.mark.parametrize("host", ["https://ghcr.io", "ghcr.io/acme/engine", "a b", "x\ny", 'x"'])
def test_what_is_no_host_is_told(host: str) -> None:
    with pytest.raises(UsageError, match="is no host"):
        image_registry.variables({"RELEASE_REGISTRY": host})


def test_without_a_registry_nothing_is_set() -> None:
    assert image_registry.variables(JOB) == {}


def test_a_job_of_gitlab_has_a_login_at_its_own_registry_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"CI_REGISTRY": "registry.acme.example:5050", "CI_REGISTRY_USER": "gitlab-ci-token"}
    job |= {"CI_REGISTRY_PASSWORD": "glcbt-1", "RELEASE_REGISTRY": "registry.acme.example:5050"}
    for name, value in image_registry.variables(job).items():
        monkeypatch.setenv(name, value)
    assert find("registry.acme.example:5050", 1) == ("gitlab-ci-token", "glcbt-1", "", "")
    with pytest.raises(UsageError, match="no username is given") as error:
        image_registry.variables({**job, "RELEASE_REGISTRY": "ghcr.io"})
    assert "glcbt-1" not in str(error.value)
