"""Which repositories can be opened, and that the user's is left alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from origin import TAGS, Origin, Requests, bump, contents, git

from release_tool.errors import ReleaseError, UsageError
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId, RefUpdate


def _subdirectory(origin: Origin, path: Path) -> Path:
    return origin.clone(path) / "environments" / "devel"


def _detached(origin: Origin, path: Path) -> Path:
    git("checkout", "--quiet", "--detach", cwd=origin.clone(path))
    return path


def _worktree(origin: Origin, path: Path) -> Path:
    git("worktree", "add", "--quiet", path.with_name("linked"), "-b", "other", cwd=origin.clone(path))
    git("config", "extensions.worktreeConfig", "true", cwd=path)
    git("config", "--worktree", "user.name", "Worktree Person", cwd=path.with_name("linked"))
    return path.with_name("linked")


def _borrowing(origin: Origin, path: Path) -> Path:
    """Its objects lie in another clone: alternates of alternates."""
    first = origin.clone(path.with_name("first"))
    return origin.clone(path, "--reference", str(first))


def _submodule(origin: Origin, path: Path) -> Path:
    git("init", "--quiet", path)
    git("submodule", "--quiet", "add", origin.url, "engine", cwd=path)
    return path / "engine"


def _other_name(origin: Origin, path: Path) -> Path:
    git("remote", "rename", "origin", "upstream", cwd=origin.clone(path))
    return path


def _relative_url(origin: Origin, path: Path) -> Path:
    git("remote", "set-url", "origin", "../origin.git", cwd=origin.clone(path))
    return path / "environments"


def _old_protocol(origin: Origin, path: Path) -> Path:
    git("config", "--global", "protocol.version", "0", cwd=origin.clone(path, "--depth=1"))
    return path


def _strange_name(origin: Origin, path: Path) -> Path:
    return origin.clone(path.with_name('a "quoted" #name\\ \u00e9'))


CHECKOUTS: dict[str, Callable[[Origin, Path], Path]] = {
    "plain": lambda origin, path: origin.clone(path),
    "subdirectory": _subdirectory,
    "detached": _detached,
    "shallow": lambda origin, path: origin.clone(path, "--depth=1"),
    "blobless": lambda origin, path: origin.clone(path, "--filter=blob:none", "--no-checkout"),
    "treeless": lambda origin, path: origin.clone(path, "--filter=tree:0", "--no-checkout"),
    "shallow and blobless": lambda origin, path: origin.clone(path, "--depth=1", "--filter=blob:none"),
    "bare": lambda origin, path: origin.clone(path, "--bare"),
    "mirror": lambda origin, path: origin.clone(path, "--mirror"),
    "worktree": _worktree,
    "borrowing": _borrowing,
    "submodule": _submodule,
    "remote of another name": _other_name,
    "relative URL": _relative_url,
    "old protocol": _old_protocol,
    "strange name": _strange_name,
}


@pytest.mark.parametrize("checkout", CHECKOUTS.values(), ids=CHECKOUTS)
@pytest.mark.parametrize("moved_on", [False, True], ids=["up to date", "behind"])
def test_every_kind_of_checkout_serves_and_is_left_as_it_was(
    origin: Origin, tmp_path: Path, checkout: Callable[[Origin, Path], Path], moved_on: bool
) -> None:
    origin.commit({"other": "second\n"})
    directory = checkout(origin, tmp_path / "checkout")
    expected = "image:\n  tag:\n  - v1.0.1\n  - v1.0.2"
    if moved_on:
        origin.commit({TAGS: "image:\n  tag:\n  - v9\n"})
        expected = "image:\n  tag:\n  - v9\n  - v1.0.2"
    before = contents(tmp_path / directory.relative_to(tmp_path).parts[0])

    with Repository.open(directory) as repository:
        bump(repository)

    assert origin.file(TAGS) == expected
    assert origin.file("other") == "second"
    assert origin.healthy()
    assert contents(tmp_path / directory.relative_to(tmp_path).parts[0]) == before


def test_uncommitted_work_is_left_as_it_is(origin: Origin, clone: Path) -> None:
    (clone / "README.md").write_text("half done\n")
    git("add", "README.md", cwd=clone)
    (clone / TAGS).write_text("broken: [")
    (clone / "untracked").write_text("mine\n")
    before = contents(clone)
    with Repository.open(clone) as repository:
        bump(repository)
    assert contents(clone) == before
    assert origin.file("README.md") == "Hello"


@pytest.mark.parametrize("form", ["path", "file URL", "relative path"])
def test_a_url_needs_no_checkout(origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    url = {"path": str(origin.path), "file URL": origin.url, "relative path": "../origin.git"}[form]
    with Repository.open(None, url) as repository:
        bump(repository)
        assert repository.top is None
    assert origin.file(TAGS).endswith("v1.0.2")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("with_checkout", [True, False], ids=["checkout", "URL"])
def test_sha256_repositories_work(tmp_path: Path, with_checkout: bool) -> None:
    origin = Origin.make(tmp_path / "new.git", "--object-format=sha256")
    where = (origin.clone(tmp_path / "clone"), None) if with_checkout else (None, origin.url)
    with Repository.open(*where) as repository:
        assert len(bump(repository)) == 64
    assert origin.file(TAGS).endswith("v1.0.2")
    assert origin.healthy()


def test_the_store_is_private_and_goes_at_the_end(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with Repository.open(clone) as repository:
        bump(repository)
        (store,) = (tmp_path / "tmp").iterdir()
        assert store.stat().st_mode & 0o077 == 0
    assert not list((tmp_path / "tmp").iterdir())


def test_the_configuration_is_that_of_the_checkout(origin: Origin, clone: Path, seal: Path) -> None:
    (seal / "work.inc").write_text("[user]\n\temail = at@work.example\n")
    git("config", "--global", f"includeIf.gitdir:{clone}/.path", str(seal / "work.inc"))
    git("config", "user.name", "Local Person", cwd=clone)
    with Repository.open(clone) as repository:
        commit = bump(repository)
        assert repository.commit_info(commit).author == "Local Person <at@work.example>"
    assert origin.git("log", "-1", "--format=%an <%ae>, %cn <%ce>", "main") == (
        "Local Person <at@work.example>, Local Person <at@work.example>"
    )


def test_urls_are_rewritten_as_git_does_it(origin: Origin, tmp_path: Path) -> None:
    clone = origin.clone(tmp_path / "clone")
    git("remote", "set-url", "origin", "work:origin.git", cwd=clone)
    git("config", "--global", f"url.file://{tmp_path}/.insteadOf", "work:")
    with Repository.open(clone) as repository:
        assert repository.display_url == origin.url
        bump(repository)
    with Repository.open(None, "work:origin.git") as repository:
        assert repository.display_url == origin.url
        bump(repository)


def test_no_hook_and_no_variable_of_the_user_leads_astray(
    origin: Origin, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / ".git" / "hooks").mkdir()
    for hook in ("pre-push", "reference-transaction", "post-checkout"):
        (clone / ".git" / "hooks" / hook).write_text("#!/bin/sh\nexit 1\n")
        (clone / ".git" / "hooks" / hook).chmod(0o755)
    other = tmp_path / "other"
    git("init", "--quiet", other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))  # as inside a hook of another repository
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_NAMESPACE", "elsewhere")
    monkeypatch.setenv("GIT_TRACE", "1")
    with Repository.open(clone) as repository:
        bump(repository)
    monkeypatch.delenv("GIT_DIR")
    assert "refs/heads/main" in origin.refs()
    assert "v1.0.2" in git("--git-dir", str(origin.path), "show", f"main:{TAGS}")


def test_a_checkout_lends_its_objects(origin: Origin, clone: Path, tmp_path: Path) -> None:
    requests = Requests(tmp_path)
    with Repository.open(clone) as repository:
        bump(repository)
    assert requests.seen() == ["upload-pack", "receive-pack"]


# -- what can't be opened
def _refusal(*where: object) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught, Repository.open(*where) as repository:  # type: ignore[arg-type]
        repository.refs("refs/heads/*")
    return caught.value


def test_a_directory_without_a_repository_is_named(tmp_path: Path) -> None:
    error = _refusal(tmp_path)
    assert str(error) == f"{tmp_path}: not a git repository"
    assert "--repo" in error.hint


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert str(_refusal(tmp_path / "nowhere")) == f"{tmp_path / 'nowhere'}: not a directory"


def test_a_repository_without_a_remote_is_refused(tmp_path: Path) -> None:
    git("init", "--quiet", tmp_path / "lonely")
    error = _refusal(tmp_path / "lonely")
    assert "no remote" in error.what
    assert "git remote add origin" in error.hint


def test_of_several_remotes_none_is_guessed(clone: Path) -> None:
    git("remote", "rename", "origin", "one", cwd=clone)
    git("remote", "add", "two", "elsewhere", cwd=clone)
    assert "several remotes (one, two)" in _refusal(clone).what
    with Repository.open(clone, remote="one") as repository:
        assert repository.remote_name == "one"


def test_without_git_the_error_says_so(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    error = _refusal(clone)
    assert error.what == "the program `git` can't be run"
    assert "install git" in error.hint


@pytest.mark.parametrize(
    "url", ["https://person:s3cret@example.com/r.git", "https://s3cret@example.com/r", "ssh://git:s3cret@example.com/r"]
)
def test_a_credential_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    error = _refusal(None, url)
    assert isinstance(error, UsageError)
    assert "s3cret" not in f"{error} {error.where} {error.cause} {error.hint} {error!r}"


@pytest.mark.parametrize("url", ["", "--upload-pack=evil"])
def test_a_url_that_is_none_is_wrong_usage(url: str) -> None:
    assert isinstance(_refusal(None, url), UsageError)


def test_a_url_where_nothing_is(tmp_path: Path) -> None:
    error = _refusal(None, str(tmp_path / "nothing.git"))
    assert "no git repository at the remote's URL" in error.what
    assert error.where == str(tmp_path / "nothing.git")


def test_a_dangerous_protocol_is_refused() -> None:
    assert "protocol" in _refusal(None, "ext::sh -c touch% /tmp/evil").what


def test_a_broken_configuration_is_named(clone: Path) -> None:
    with (clone / ".git" / "config").open("a") as file:
        file.write("[broken\n")
    error = _refusal(clone)
    assert error.what == "git's configuration can't be read"
    assert ".git/config" in error.cause


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away; run as root")
def test_a_repository_of_somebody_else_is_refused(clone: Path, origin: Origin) -> None:
    os.chown(clone, 12345, 12345)
    os.chown(clone / ".git", 12345, 12345)
    error = _refusal(clone)
    assert "another user" in error.what
    assert "safe.directory" in error.hint
    shutil.rmtree(clone)
    os.chown(origin.path, 12345, 12345)
    assert "another user" in _refusal(None, origin.url).what


def test_an_empty_remote_has_no_refs_and_takes_the_first_commit(tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", "--initial-branch=main", tmp_path / "empty.git")
    with Repository.open(None, str(tmp_path / "empty.git")) as repository:
        refs = repository.refs("refs/heads/*")
        assert refs.refs == {}
        commit = repository.commit([], None, {"a": b"1\n"}, "Begin")
        repository.push([RefUpdate("refs/heads/main", None, commit)])
        assert repository.refs("refs/heads/*").refs == {"refs/heads/main": commit}
        assert isinstance(repository.refs().head_branch, str)


def test_refs_are_those_that_were_asked_for(origin: Origin, repository: Repository) -> None:
    tip = origin.tip()
    for ref in ("refs/heads/release/devel", "refs/heads/release/a/b", "refs/pulls/1", "refs/other/refs/heads/main"):
        origin.git("update-ref", ref, str(tip))
    refs = repository.refs("refs/heads/main", "refs/heads/release/*", "refs/heads/none")
    assert sorted(refs.refs) == ["refs/heads/main", "refs/heads/release/a/b", "refs/heads/release/devel"]
    assert refs.head_branch == "main"
    assert refs.branch("release/devel") == tip
    assert refs.branch("none") is None
    assert repository.refs("refs/pulls/*").refs == {"refs/pulls/1": tip}


def test_the_name_of_the_default_branch_may_be_long(origin: Origin, remote: Repository) -> None:
    name = "a" * 49  # with its prefix as long as an id of SHA-256
    origin.git("branch", "-m", "main", name)
    origin.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
    assert remote.refs("refs/heads/*").head_branch == name
    assert bump(remote, name) == origin.tip(name)


def test_a_commit_that_the_remote_does_not_hold_can_be_asked_for_again(repository: Repository) -> None:
    with pytest.raises(ReleaseError) as caught:
        repository.fetch(CommitId("1" * 40))
    assert caught.value.exit_code == 75
