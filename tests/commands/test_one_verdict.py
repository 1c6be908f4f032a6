"""`check`, `check --ref` and a bump say the same of one commit, whatever the checkout makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from origin import git
from world import World, run

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


def _files(world: World) -> str:
    """A file that a template takes whole is a pointer; one that none takes may be."""
    world.commit({"charts/grpc-manifest/files/filter.lua": POINTER}, "LFS")
    world.release("check")
    world.commit({"charts/grpc-manifest/templates/x.yaml": '{{ .Files.Get "files/filter.lua" | quote }}'}, "Taken")
    return "charts/grpc-manifest/files/filter.lua: the file is a pointer of Git LFS"


def _link(world: World) -> str:
    """A dependency that is a link to the chart beside it."""
    (world.clone / "charts/grpc-manifest/charts/beside").symlink_to("../../beside")
    world.commit({"charts/beside/Chart.yaml": "name: beside\n"}, "Link")
    assert "name where it leads to in Chart.yaml: `repository: file://…`" in world.release("check", code=1).out
    return (
        "charts/grpc-manifest/charts/beside: a symbolic link stands where a file or directory of the repository should"
    )


@pytest.mark.parametrize("made", [_lfs, _crypt, _chart, _submodule, _files, _link])
def test_one_commit_has_one_verdict(world: World, made: Callable[[World], str]) -> None:
    told = made(world)
    assert told in world.release("check", code=1).out
    assert told.rpartition(": ")[2] in world.release("check", "--ref", "main", code=1).out
    said = world.release("bump", "devel", "v1.0.5", code=1).err.split("\n")
    assert told.rpartition(": ")[2] in said[0]
    assert told.partition(": ")[0] in said[1]


def test_values_of_sops_are_rendered_without_what_sops_adds(world: World) -> None:
    world.commit({VALUES: SOPS.replace("password:", "podAnnotations:\n  secret:")}, "Secrets")
    for more in ([], ["--ref", "main"]):
        said = world.release("check", *more).out
        assert f"warning: {VALUES}: sops has encrypted values of the file" in said
    assert "ENC[AES256_GCM" in world.release("render", "devel").out
    world.commit({VALUES: "replicaCount: ENC[AES256_GCM,data:x,type:int]\nsops: {mac: x}\n"}, "All")
    said = world.refused("bump", "devel", "v1.0.5")
    assert f"where: {VALUES}:1:15" in said
    assert "sops has encrypted values of this file, and the tool has no key" in said
    assert "`encrypted_regex` in .sops.yaml" in said


@pytest.mark.parametrize("address", ["file", "git@git.example.com:team/charts.git", "../charts.git"])
def test_a_chart_in_a_submodule_is_named_where_it_stands(world: World, address: str) -> None:
    charts = world.path / "charts"
    git("clone", "-q", world.origin, charts)
    commit = git("rev-parse", "HEAD", cwd=charts)
    url = address.replace("file", f"file://{charts}")
    world.git("rm", "-rq", "charts")
    modules = f'[submodule "other"]\n\tpath = x\n\turl = y\n[submodule "charts"]\n\tpath = charts\n\turl = {url}\n'
    (world.clone / ".gitmodules").write_text(modules)
    config = world.file("release.yaml").replace("chart: charts/", "chart: charts/charts/")
    (world.clone / "release.yaml").write_text(config)
    world.git("add", ".gitmodules", "release.yaml")
    world.git("update-index", "--add", "--cacheinfo", f"160000,{commit},charts")
    world.git("commit", "-qm", "Submodule")
    world.git("push", "-q", "origin", "main")
    said = world.refused("bump", "devel", "v1.0.5")
    told = re.search("write `chart: (\\S+)`", said)
    assert told is not None
    shown = {"file": f"file://{charts}", "../charts.git": "URL"}.get(
        address, "ssh://git@git.example.com/team/charts.git"
    )
    assert told[1] == f"git+{shown}//charts/grpc-manifest@{commit}"
    assert told[1] in world.release("check", code=1).out
    if address == "file":
        world.commit({"release.yaml": config.replace("charts/charts/grpc-manifest", told[1])}, "As told")
        world.release("bump", "devel", "v1.0.5")


def test_a_partial_clone_that_cant_fetch_what_is_left_out_says_why(world: World) -> None:
    clone = world.path / "partial"
    git("clone", "-q", "--filter=blob:none", "--sparse", f"file://{world.origin}", clone)
    git("sparse-checkout", "set", "environments/devel", cwd=clone)
    world.origin.rename(world.path / "gone")
    said = run("check", "-C", str(clone))
    assert (said.code, said.out) == (1, "") or "no git repository at the remote's URL" in said.out
    (world.path / "gone").rename(world.origin)
    world.release("check", "-C", str(clone))


def test_a_sparse_checkout_is_checked_whole(world: World) -> None:
    world.git("update-index", "--refresh")  # what git takes for changed stays
    world.git("sparse-checkout", "set", "environments/devel")
    assert not (world.clone / "environments/staging").exists()
    world.release("check")
