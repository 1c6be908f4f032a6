"""Images in a real registry."""

from __future__ import annotations

from pathlib import Path

import pytest
import real_registry
from certificates import certificate
from real_registry import RealRegistry

from release_tool.errors import ReleaseError, TryAgain
from release_tool.registry import Registry


def open_registry(registry: RealRegistry, repository: str, **more: object) -> Registry:
    return Registry(registry.image(repository), plain_http=True, **more)


def test_a_tag_has_the_digest_of_its_manifest(registry: RealRegistry) -> None:
    digest = registry.push("plain/engine", "v1.0.5")
    assert open_registry(registry, "plain/engine").digest("v1.0.5") == digest


def test_an_image_for_several_platforms_has_the_digest_of_its_index(registry: RealRegistry) -> None:
    digest = registry.push_index("index/engine", "v1.0.5")
    assert open_registry(registry, "index/engine").digest("v1.0.5") == digest


def test_a_digest_can_be_looked_up_too(registry: RealRegistry) -> None:
    digest = registry.push("digest/engine", "v1.0.5")
    found = open_registry(registry, "digest/engine")
    assert found.digest(digest) == digest
    assert found.digest(f"sha256:{'0' * 64}") is None


def test_a_moved_tag_has_another_digest(registry: RealRegistry) -> None:
    found = open_registry(registry, "moved/engine")
    before = registry.push("moved/engine", "v1.0.5")
    other = registry.push("moved/engine", "v1.0.6")
    assert found.digest("v1.0.5") == before
    assert registry.retag("moved/engine", "v1.0.6", "v1.0.5") == other
    assert found.digest("v1.0.5") == other


def test_a_tag_that_is_not_there_has_no_digest(registry: RealRegistry) -> None:
    registry.push("missing/engine", "v1.0.5")
    assert open_registry(registry, "missing/engine").digest("v1.0.6") is None


def test_a_deleted_image_is_not_there(registry: RealRegistry) -> None:
    digest = registry.push("deleted/engine", "v1.0.5")
    registry.delete("deleted/engine", digest)
    found = open_registry(registry, "deleted/engine")
    assert found.digest("v1.0.5") is None
    assert found.tags() == []


def test_the_tags_of_all_pages_are_listed(registry: RealRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_tool.registry._PAGE", 10)  # a thousand pushes would take their time
    registry.push("many/engine", "v1.0.0", "the same")
    for number in range(1, 35):
        registry.retag("many/engine", "v1.0.0", f"v1.0.{number}")
    found = open_registry(registry, "many/engine").tags()
    assert sorted(found) == sorted(f"v1.0.{number}" for number in range(35))


def test_a_repository_that_is_not_there_is_named(registry: RealRegistry) -> None:
    with pytest.raises(ReleaseError, match="has no repository nobody/engine") as caught:
        open_registry(registry, "nobody/engine").tags()
    assert not isinstance(caught.value, TryAgain)
    assert "registry.image" in caught.value.hint


def test_what_is_no_tag_is_never_asked_for(registry: RealRegistry) -> None:
    for text in ("../../_catalog", "v1?x=y", "", "v1.0.5@sha256:" + "0" * 64, "sha256:0", "a" * 129, "v1\n"):
        with pytest.raises(ReleaseError, match="neither a tag nor a digest"):
            open_registry(registry, "strange/engine").digest(text)


def test_a_registry_that_is_not_there_may_come_back(registry: RealRegistry, tmp_path: Path) -> None:
    with real_registry.running(tmp_path) as gone:
        pass
    pauses: list[float] = []
    with pytest.raises(TryAgain, match="can't be reached") as caught:
        open_registry(gone, "gone/engine", wait=pauses.append).digest("v1.0.5")
    assert "refused" in caught.value.cause
    assert len(pauses) == 1


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificate(tmp_path, "127.0.0.1")
    with real_registry.running(tmp_path, tls=made) as registry:
        digest = registry.push("tls/engine", "v1.0.5")
        with pytest.raises(ReleaseError, match="no trusted connection") as caught:
            Registry(registry.image("tls/engine")).digest("v1.0.5")
        assert "self-signed" in caught.value.cause.replace(" ", "-")
        assert "RELEASE_CA_BUNDLE" in caught.value.hint
        assert not isinstance(caught.value, TryAgain)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.path))
        assert Registry(registry.image("tls/engine")).digest("v1.0.5") == digest
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.crt"))
        with pytest.raises(ReleaseError, match="can't be asked") as caught:
            Registry(registry.image("tls/engine")).digest("v1.0.5")
        assert "REQUESTS_CA_BUNDLE" in caught.value.hint


def test_a_registry_without_tls_is_asked_in_plain_text_only_where_that_is_configured(registry: RealRegistry) -> None:
    registry.push("clear/engine", "v1.0.5")
    with pytest.raises(ReleaseError, match="no trusted connection") as caught:
        Registry(registry.image("clear/engine")).digest("v1.0.5")
    assert "plain_http" in caught.value.hint
