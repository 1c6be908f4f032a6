"""Over HTTP, with git's own server program behind Python's web server on 127.0.0.1."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Certificate, certificate
from git_server import GitServer, serving
from opened import fetched
from origin import BEGIN, TAGS, Origin, bump, git

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.repository import Repository
from release_tool.model.records import RefUpdate
from release_tool.net.secret import Secret
from release_tool.wiring import header_for_git

TOKEN = base64.b64encode(b"person:s3cret").decode()


@pytest.fixture
def server(tmp_path: Path, origin: Origin) -> Iterator[GitServer]:
    with serving(tmp_path) as found:
        yield found


def _clone_with_token(origin: Origin, server: GitServer, path: Path) -> Path:
    """As actions/checkout leaves it: the token stands in an extra header, in a file behind a condition."""
    clone = origin.clone(path)
    git("remote", "set-url", "origin", server.url, cwd=clone)
    path.with_name("token.inc").write_text(f'[http "{server.url}"]\n\textraheader = AUTHORIZATION: basic {TOKEN}\n')
    git("config", f"includeIf.gitdir:{clone}/.git.path", str(path.with_name("token.inc")), cwd=clone)
    return clone


def test_a_bump_over_http_without_a_checkout(origin: Origin, server: GitServer) -> None:
    with Repository.open(None, server.url) as repository:
        bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")
    assert origin.healthy()


def test_the_credentials_of_the_checkout_serve_and_show_nowhere(
    origin: Origin, server: GitServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.token = TOKEN
    clone = _clone_with_token(origin, server, tmp_path / "clone")
    with caplog.at_level(logging.DEBUG, "release_tool"), Repository.open(clone) as repository:
        bump(repository)
        files = [file for file in repository._store.rglob("*") if file.is_file()]
        assert not [file for file in files if TOKEN.encode() in file.read_bytes()]
        server.answers["git-receive-pack"] = 403
        with pytest.raises(ReleaseError) as caught:
            bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")
    assert "ls-remote" in caplog.text
    error = caught.value
    for secret in (TOKEN, "s3cret"):
        assert secret not in f"{caplog.text}{error!r}{error}{error.cause}{error.hint}{vars(repository)}"


@pytest.mark.parametrize(
    ("status", "what", "exit_code"),
    [
        (401, "doesn't accept the credentials", 1),
        (403, "no permission on the remote", 1),
        (404, "no git repository at the remote's URL", 1),
        (413, "refuses the request", 1),
        (429, "can't be reached", 75),
        (500, "can't be reached", 75),
        (503, "can't be reached", 75),
    ],
)
@pytest.mark.parametrize("step", ["upload-pack", "receive-pack"])
def test_a_status_of_the_server_tells_who_has_to_act(
    server: GitServer, status: int, what: str, exit_code: int, step: str
) -> None:
    server.answers[f"git-{step}"] = status
    with Repository.open(None, server.url) as repository, pytest.raises(ReleaseError, match=what) as caught:
        bump(repository)
    assert caught.value.exit_code == exit_code
    assert caught.value.where == server.url
    assert caught.value.hint


def test_missing_credentials_end_in_an_error_not_in_a_prompt(server: GitServer) -> None:
    server.token = TOKEN
    with Repository.open(None, server.url) as repository, pytest.raises(ReleaseError) as caught:
        repository.refs("refs/heads/*")
    assert caught.value.what == "the remote doesn't accept the credentials"


def test_a_server_that_is_away_can_be_tried_again(server: GitServer) -> None:
    url = server.url.replace(str(server.server_address[1]), "1")  # nobody listens there
    with Repository.open(None, url) as repository, pytest.raises(TryAgain, match="can't be reached"):
        repository.refs("refs/heads/*")


def test_a_web_server_without_git_is_named(origin: Origin, server: GitServer) -> None:
    origin.git("update-server-info")
    server.dumb = True
    with Repository.open(None, server.url) as repository, pytest.raises(ReleaseError, match="a plain web server"):
        bump(repository)


@pytest.mark.parametrize("service", ["upload-pack", "receive-pack"])
@pytest.mark.parametrize("step", ["info/refs?service=git-", "/git-"])
def test_a_login_page_in_the_place_of_an_answer_is_named_and_can_be_tried_again(
    server: GitServer, step: str, service: str
) -> None:
    server.page = step + service
    with Repository.open(None, server.url) as repository, pytest.raises(TryAgain, match="with a web page") as caught:
        bump(repository)
    assert "text/html" in caught.value.cause or "<!DO" in caught.value.cause
    assert "a login" in caught.value.hint


@pytest.mark.parametrize("part", ["info/refs?service=git-upload-pack", "/git-upload-pack", "info/refs?service=git-rec"])
@pytest.mark.parametrize("admits", [False, True])
def test_an_answer_that_is_cut_off_is_named_and_can_be_tried_again(server: GitServer, part: str, admits: bool) -> None:
    server.cut, server.admits = part, admits
    with Repository.open(None, server.url) as repository, pytest.raises(TryAgain, match="was cut off"):
        bump(repository)


@pytest.mark.parametrize("admits", [False, True])  # git waits for ever where an answer is shorter than it should be
def test_a_push_whose_answer_is_cut_off_is_looked_up(origin: Origin, server: GitServer, admits: bool) -> None:
    with Repository.open(None, server.url) as repository:
        tip = fetched(repository)
        new = repository.commit([tip], tip, {"a": b"1"}, "Change", when=BEGIN)
        server.cut, server.admits = "/git-receive-pack", admits
        repository._timeout = 3
        assert repository.push([RefUpdate("refs/heads/main", tip, new)]) is False
    assert origin.tip() == new


def test_an_empty_repository_is_no_web_page(server: GitServer, tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", tmp_path / "empty.git")
    with Repository.open(None, server.url.replace("origin.git", "empty.git")) as repository:
        assert repository.refs("refs/heads/*").refs == {}


def test_the_token_of_a_job_of_gitea_serves_git(
    origin: Origin, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = base64.b64encode(b"x-access-token:of-the-job").decode()
    monkeypatch.setenv("GITHUB_TOKEN", "of-the-job")
    monkeypatch.setenv("GITEA_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SERVER_URL", server.url.removesuffix("/origin.git"))
    with Repository.open(None, server.url, entitle=header_for_git) as repository:
        bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")


# -- a remote that sends git elsewhere
@pytest.fixture
def elsewhere(tmp_path: Path, origin: Origin) -> Iterator[GitServer]:
    """Another server that has the same repository."""
    with serving(tmp_path) as found:
        yield found


def _helper(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("config", "credential.helper", "!f() { echo username=person; echo password=s3cret; }; f", cwd=clone)


def _askpass(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = clone.with_name("askpass")
    program.write_text("#!/bin/sh\necho s3cret\n")
    program.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(program))


def _header(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("config", "http.extraheader", f"Authorization: Basic {TOKEN}", cwd=clone)


def _moved(error: ReleaseError, server: GitServer, elsewhere: GitServer, change: str) -> None:
    assert elsewhere.shown == []
    assert (error.what, error.where) == ("the remote has moved, and a credential follows no redirect", server.url)
    assert error.cause == f"it sends git on to {elsewhere.url}"
    assert error.hint.replace("`", "") == f"if you trust that address, {change} {elsewhere.url}"
    assert error.exit_code == 1


@pytest.mark.parametrize("part", ["/", "git-receive-pack"], ids=["all of it", "pushes alone"])
def test_the_tools_own_credential_follows_no_redirect(server: GitServer, elsewhere: GitServer, part: str) -> None:
    server.moved = {part: elsewhere.url}
    header = Secret(f"Authorization: Basic {TOKEN}")
    with Repository.open(None, server.url, entitle=lambda _: header) as repository, pytest.raises(ReleaseError) as said:
        bump(repository)
    _moved(said.value, server, elsewhere, "name it: --repo")
    assert set(server.shown) == {f"Basic {TOKEN}"}


@pytest.mark.parametrize("login", [_header, _helper, _askpass])
def test_a_login_that_does_not_look_at_the_host_follows_none_either(
    origin: Origin,
    server: GitServer,
    elsewhere: GitServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    login: object,
) -> None:
    clone = origin.clone(tmp_path / "clone")
    git("remote", "set-url", "origin", server.url, cwd=clone)
    login(clone, monkeypatch)  # type: ignore[operator]
    server.moved, elsewhere.token = {"/": elsewhere.url}, TOKEN
    with Repository.open(clone) as repository, pytest.raises(ReleaseError) as said:
        bump(repository)
    _moved(said.value, server, elsewhere, "run git remote set-url origin")


def test_without_a_credential_a_redirect_is_followed(origin: Origin, server: GitServer, elsewhere: GitServer) -> None:
    server.moved = {"/": elsewhere.url}
    with Repository.open(None, server.url) as repository:
        bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")
    assert set(elsewhere.shown) == {""}


def test_a_redirect_that_names_a_secret_or_nothing_is_told_without(server: GitServer) -> None:
    header = Secret(f"Authorization: Basic {TOKEN}")
    for address, cause in (
        ("http://me:s3cret@127.0.0.1:1/x.git", "it sends git on to http://127.0.0.1:1/x.git"),
        ("/moved.git", f"it sends git on to {server.url.replace('origin', 'moved')}"),
    ):
        server.moved = {"/": address}
        with Repository.open(None, server.url, entitle=lambda _: header) as opened, pytest.raises(ReleaseError) as said:
            opened.refs("refs/heads/*")
        assert said.value.cause == cause
    server.moved, server.answers = {}, {"/": 302}
    with Repository.open(None, server.url, entitle=lambda _: header) as opened, pytest.raises(ReleaseError) as said:
        opened.refs("refs/heads/*")
    assert said.value.cause == "it sends git on to an address that it doesn't name"


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "AZURE_DEVOPS_EXT_PAT"])
def test_a_helper_that_names_the_token_gets_it_where_the_tool_shows_none(
    origin: Origin, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "s3cret")
    clone = origin.clone(tmp_path / "clone")
    git("remote", "set-url", "origin", server.url, cwd=clone)
    git("config", "credential.helper", f'!f() {{ echo username=person; echo "password=${{{name}}}"; }}; f', cwd=clone)
    server.token = TOKEN
    with Repository.open(clone) as repository:
        bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")


def _set_globally(key: str, value: str) -> None:
    git("config", "--global", key, value)


ANYBODY = "!f() { echo username=person; echo password=s3cret; }; f"


@pytest.mark.parametrize(
    "everywhere",
    [
        ("http.extraheader", f"Authorization: Basic {TOKEN}"),
        ("credential.helper", ANYBODY),
        ("core.askPass", "PROGRAM"),
    ],
)
@pytest.mark.parametrize("by_url", [False, True])
def test_a_login_for_every_host_is_shown_to_no_host_that_the_repository_names(
    origin: Origin, server: GitServer, tmp_path: Path, everywhere: tuple[str, str], by_url: bool
) -> None:
    program = tmp_path / "askpass"
    program.write_text("#!/bin/sh\necho s3cret\n")
    program.chmod(0o755)
    _set_globally(everywhere[0], everywhere[1].replace("PROGRAM", str(program)))
    if by_url:
        _set_globally(f"credential.{server.url.rpartition('/')[0]}.helper", ANYBODY)
    server.token = TOKEN
    with Repository.open(origin.clone(tmp_path / "clone")) as own, own.elsewhere(server.url) as other:
        if by_url:
            assert other.refs("refs/heads/*").branch("main") == origin.tip()
            return
        with pytest.raises(ReleaseError, match="doesn't accept the credentials"):
            other.refs("refs/heads/*")
    assert set(server.shown) == {""}


def test_a_host_that_the_checkout_uses_gets_the_same_login(origin: Origin, server: GitServer, tmp_path: Path) -> None:
    _set_globally("http.extraheader", f"Authorization: Basic {TOKEN}")
    server.token = TOKEN
    clone = origin.clone(tmp_path / "clone")
    git("remote", "set-url", "origin", server.url, cwd=clone)
    with Repository.open(clone) as own, own.elsewhere(server.url) as other:
        assert other.refs("refs/heads/*").branch("main") == origin.tip()


def test_a_token_goes_to_its_own_host_alone(origin: Origin, server: GitServer, tmp_path: Path) -> None:
    asked = []

    def entitle(url: str) -> Secret | None:
        asked.append(url)
        return Secret(f"Authorization: Basic {TOKEN}") if "127.0.0.1" in url else None

    server.token = TOKEN
    with Repository.open(origin.clone(tmp_path / "clone"), entitle=entitle) as own, own.elsewhere(server.url) as other:
        assert other.refs("refs/heads/*").branch("main") == origin.tip()
    assert asked == [server.url]


# a certificate that only people of one's own vouch for


@pytest.fixture
def private(server: GitServer, tmp_path: Path) -> tuple[str, Certificate]:
    """The same server with a certificate for 127.0.0.1 that vouches for itself."""
    made = certificate(tmp_path, "127.0.0.1")
    server.socket = made.context().wrap_socket(server.socket, server_side=True)
    return server.url.replace("http:", "https:"), made


def test_a_certificate_that_nobody_trusts_is_refused(private: tuple[str, Certificate]) -> None:
    with Repository.open(None, private[0]) as repository, pytest.raises(ReleaseError) as caught:
        repository.refs("refs/heads/*")
    assert caught.value.what == "the certificate of the remote isn't trusted"
    assert "let RELEASE_CA_BUNDLE name a file with the certificates of your authorities" in caught.value.hint


def test_the_authorities_of_one_variable_are_believed_before_those_of_gits_settings(
    origin: Origin, private: tuple[str, Certificate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, made = private
    clone = origin.clone(tmp_path / "clone")
    other = certificate(tmp_path, "other.example")
    git("remote", "set-url", "origin", url, cwd=clone)
    git("config", f"http.{url}.sslCAInfo", str(other.path), cwd=clone)
    git("config", "remote.origin.promisor", "true", cwd=clone)
    git("config", "remote.origin.partialCloneFilter", "blob:none", cwd=clone)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELEASE_CA_BUNDLE", made.path.name)  # a path from where the tool is run
    monkeypatch.setenv("GIT_SSL_CAINFO", str(other.path))
    for directory, repo in ((clone, None), (None, url)):
        with Repository.open(directory, repo) as repository:
            bump(repository)
    assert origin.file(TAGS).endswith("- v1.0.2\n  - v1.0.2"), "both came"
    assert origin.healthy()


def test_without_the_variable_gits_own_settings_count(
    origin: Origin, private: tuple[str, Certificate], tmp_path: Path
) -> None:
    url, made = private
    clone = origin.clone(tmp_path / "clone")
    git("remote", "set-url", "origin", url, cwd=clone)
    git("config", "http.sslCAInfo", str(made.path), cwd=clone)
    with Repository.open(clone) as repository:
        bump(repository)
    git("config", "http.sslCAInfo", "/nowhere/authorities.pem", cwd=clone)
    with Repository.open(clone) as repository, pytest.raises(ReleaseError) as caught:
        repository.refs("refs/heads/*")
    assert caught.value.hint == "correct GIT_SSL_CAINFO, or http.sslCAInfo in git's configuration"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "names no file"),
        ("", "names a file without a certificate that can be read"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "names a file without a certificate"),
    ],
)
def test_a_file_of_authorities_that_holds_none_is_named(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, what: str
) -> None:
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("RELEASE_CA_BUNDLE", str(path))
    with pytest.raises(ReleaseError) as caught, Repository.open(None, origin.url) as repository:
        repository.refs("refs/heads/*")
    assert caught.value.what.startswith(f"RELEASE_CA_BUNDLE {what}")
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 1
