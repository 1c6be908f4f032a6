"""`check`, `check --ref` and a bump say the same of one commit, whatever the checkout makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from world import World

TAGS = "environments/devel/image_tag.yaml"
VALUES = "environments/devel/values.yaml"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
SOPS = "replicaCount: 1\npassword: ENC[AES256_GCM,data:x,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:x]\n"


def _lfs(world: World) -> str:
    """Pointers in Git; the files themselves in the checkout, as the filter would put them there."""
    plain = (world.clone / TAGS).read_bytes()
    world.commit({TAGS: POINTER}, "LFS")
    world.commit({".gitattributes": "*.yaml filter=lfs\n"}, "Attributes")
    (world.clone / TAGS).write_bytes(plain)
    world.broken.add("devel")
    return f"{TAGS}: the file is a pointer of Git LFS"


def _crypt(world: World) -> str:
    world.commit({VALUES: "\0GITCRYPT\0abc"}, "Encrypted")
    return f"{VALUES}: the file is encrypted by git-crypt"


def _chart(world: World) -> str:
    world.commit({"charts/grpc-manifest/templates/_helpers.tpl": POINTER}, "LFS")
    return "charts/grpc-manifest/templates/_helpers.tpl: the file is a pointer of Git LFS"


def _submodule(world: World) -> str:
    """The chart is a submodule, whose files lie in the checkout."""
    world.git("rm", "-rq", "--cached", "charts/grpc-manifest")
    tip = world.git("rev-parse", "HEAD")
    world.git("update-index", "--add", "--cacheinfo", f"160000,{tip},charts/grpc-manifest")
    world.git("commit", "-qm", "Submodule")
    world.git("push", "-q", "origin", "main")
    return "charts/grpc-manifest: a submodule stands where a file or directory of the repository should"


@pytest.mark.parametrize("made", [_lfs, _crypt, _chart, _submodule])
def test_one_commit_has_one_verdict(world: World, made: Callable[[World], str]) -> None:
    told = made(world)
    assert told in world.release("check", code=1).out
    assert told.rpartition(": ")[2] in world.release("check", "--ref", "main", code=1).out
    said = world.release("bump", "devel", "v1.0.5", code=1).err.split("\n")
    assert told.rpartition(": ")[2] in said[0]
    assert told.partition(": ")[0] in said[1]


def test_values_of_sops_are_named_beside_what_the_chart_says_of_them(world: World) -> None:
    world.commit({VALUES: SOPS}, "Secrets")
    for more in ([], ["--ref", "main"]):
        said = world.release("check", *more, code=1).out
        assert f"warning: {VALUES}: sops has encrypted values of the file" in said
        assert "the chart refuses the values: sops" in said


def test_a_sparse_checkout_is_checked_whole(world: World) -> None:
    world.git("sparse-checkout", "set", "environments/devel")
    assert not (world.clone / "environments/staging").exists()
    world.release("check")
