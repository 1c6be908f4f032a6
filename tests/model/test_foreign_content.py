"""Files that Git doesn't hold, or holds encrypted, are named for what they are."""

from __future__ import annotations

import pytest

from release_tool.errors import ReleaseError
from release_tool.model.foreign_content import by_sops, demand_content, demand_plain

SOPS = "image:\n  tag:\n    v1: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:x]\n"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a pointer of Git LFS"),
        (b"/annex/objects/SHA256E-s1--0\n", "a pointer of git-annex"),
        (b"\0GITCRYPT\0abc\xff\xfe", "encrypted by git-crypt"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "encrypted by Ansible Vault"),
        (b"U2FsdGVkX19hYmM=\n", "encrypted by transcrypt"),
        (b"age-encryption.org/v1\n-> X25519 x\n", "encrypted by age"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted by PGP"),
    ],
)
def test_what_is_no_plain_file_is_named(content: bytes, what: str) -> None:
    for form in (content, content.decode("utf-8", "surrogateescape")):
        with pytest.raises(ReleaseError, match=what) as caught:
            demand_content(form, "a.yaml")
        assert "`a.yaml -filter -diff -merge`" in caught.value.hint


@pytest.mark.parametrize("text", ["", "image: {tag: {}}\n", "version: 1\n", "sops: {}\n", "# ENC[AES256_GCM,\n"])
def test_a_plain_file_is_one(text: str) -> None:
    demand_plain(text, "a.yaml")


def test_values_of_sops_are_told_from_a_plain_file() -> None:
    assert by_sops(SOPS)
    assert by_sops('{"data": "ENC[AES256_GCM,data:x]", "sops": {"mac": "x"}}')
    demand_content(SOPS, "a.yaml")
    with pytest.raises(ReleaseError, match="encrypted by sops"):
        demand_plain(SOPS, "a.yaml")
