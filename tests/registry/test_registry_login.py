"""Credentials: those of `docker login`, to the registry and its token server, and to nobody else."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
from typing import TYPE_CHECKING

import docker_login
import pytest
import real_registry
import token_server
from certificates import certificate
from token_server import PASSWORD, USER

from release_tool.errors import ReleaseError, TryAgain
from release_tool.registry import Registry, reference
from release_tool.registry.credentials import Credentials, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from real_registry import RealRegistry
    from token_server import TokenServer

    Login = Callable[..., Path]
    Helper = Callable[[str, str], None]
    Tokens = tuple[RealRegistry, TokenServer]

BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
KNOWN = docker_login.encoded(USER, PASSWORD)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry with a file of passwords."""
    with real_registry.guarded(tmp_path_factory.mktemp("guarded"), USER, PASSWORD) as found:
        found.push("team/engine", "v1.0.5")
        yield found


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    """A registry that wants tokens, and its token server."""
    real_registry.program()
    directory = tmp_path_factory.mktemp("tokens")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(token_server.running(certificate(directory, "signer")))
        found = stack.enter_context(real_registry.running(directory, auth=server.auth))
        for repository in ("team/engine", "public/engine"):
            token = server.token(f"repository:{repository}:pull", "pull", "push")
            found._session.headers["Authorization"] = f"Bearer {token}"
            found.push(repository, "v1.0.5")
        yield found, server


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Writes Docker's file with these settings."""
    return lambda **settings: docker_login.write(tmp_path / "docker", monkeypatch, **settings)


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helper:
    """Puts a credential helper on PATH."""
    return lambda name, body: docker_login.helper(tmp_path / "bin", monkeypatch, name, body)


def look(registry: RealRegistry, repository: str = "team/engine") -> str | None:
    return Registry(registry.image(repository), plain_http=True).digest("v1.0.5")


def refusal(registry: RealRegistry, repository: str = "team/engine") -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        look(registry, repository)
    return caught.value


def test_a_password_of_docker_login_opens_the_registry(guarded: RealRegistry, login: Login) -> None:
    login(auths={guarded.host: KNOWN})
    assert look(guarded)
    assert Registry(guarded.image("team/engine"), plain_http=True).tags() == ["v1.0.5"]


def test_without_docker_config_the_file_is_in_the_home(guarded: RealRegistry, seal: Path) -> None:
    (seal / ".docker").mkdir()
    (seal / ".docker/config.json").write_text(json.dumps({"auths": {guarded.host: KNOWN}}))
    assert look(guarded)


def test_a_password_of_helm_opens_the_registry(guarded: RealRegistry, seal: Path, login: Login) -> None:
    login(auths={"elsewhere.example.com": KNOWN})
    file = seal / ".config/helm/registry/config.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"auths": {guarded.host: KNOWN}}))
    assert look(guarded)
    file.write_text("no JSON")
    assert refusal(guarded).what == "Helm's file with credentials can't be used"


def test_missing_credentials_are_named_with_the_place_where_they_are_read(guarded: RealRegistry) -> None:
    error = refusal(guarded)
    assert f"the registry {guarded.host} wants credentials, and there are none" in error.what
    assert f"docker login {guarded.host}" in error.hint
    assert "$DOCKER_CONFIG/config.json" in error.hint
    assert error.exit_code == 1


def test_wrong_credentials_are_named_and_sent_once(guarded: RealRegistry, login: Login) -> None:
    login(auths={guarded.host: docker_login.encoded(USER, "wrong")})
    assert f"the registry {guarded.host} refuses the credentials" in refusal(guarded).what


def test_a_password_in_netrc_is_not_taken(guarded: RealRegistry, seal: Path) -> None:
    (seal / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    assert "there are none" in refusal(guarded).what


@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_a_credential_helper_is_asked(guarded: RealRegistry, login: Login, helper: Helper, key: str) -> None:
    helper("keys", f"print(json.dumps({{'ServerURL': server, 'Username': {USER!r}, 'Secret': {PASSWORD!r}}}))\n")
    login(**{key: "keys" if key == "credsStore" else {guarded.host: "keys"}}, auths={guarded.host: {}})
    assert look(guarded)


def test_a_helper_that_knows_nothing_leaves_it_to_the_file(guarded: RealRegistry, login: Login, helper: Helper) -> None:
    helper("empty", "sys.exit('' if print('credentials not found in native keychain') else 1)\n")
    login(credsStore="empty")
    assert "there are none" in refusal(guarded).what
    login(credsStore="empty", auths={guarded.host: KNOWN})
    assert look(guarded)


@pytest.mark.parametrize("body", [
    "print('the secret is hunter2'); sys.exit(1)\n", "print('hunter2')\n", "print(json.dumps(['hunter2']))\n",
    "print(json.dumps({'Username': 'u', 'Secret': 7, 'x': 'hunter2'}))\n",
    "sys.stderr.write('hunter2'); sys.exit(2)\n",
])  # fmt: skip
def test_a_helper_that_fails_is_named_and_not_quoted(
    guarded: RealRegistry, login: Login, helper: Helper, body: str
) -> None:
    helper("broken", body)
    file = login(credsStore="broken")
    error = refusal(guarded)
    assert "docker-credential-broken fails" in error.what
    assert error.where == str(file)
    assert "hunter2" not in everything(error)


def test_a_helper_that_hangs_is_ended(guarded: RealRegistry, login: Login, helper: Helper) -> None:
    helper("stuck", "time.sleep(600)\n")
    login(credsStore="stuck")
    with pytest.raises(TryAgain, match="docker-credential-stuck gave no answer"):
        Registry(guarded.image("team/engine"), plain_http=True, timeout=2).digest("v1.0.5")


def test_a_helper_that_is_missing_is_named(guarded: RealRegistry, login: Login) -> None:
    login(credsStore="missing")
    assert "`docker-credential-missing` can't be run" in refusal(guarded).what


@pytest.mark.parametrize("text", [
    "{", "[]", "\xff", "[" * 100_000, '{"auths": [1]}', '{"auths": {"HOST": "x"}}',
    '{"auths": {"HOST": {"auth": "!"}}}', '{"auths": {"HOST": {"auth": 7}}}',
    '{"auths": {"HOST": {"auth": "/////w=="}}}', '{"auths": {"HOST": {"identitytoken": {}}}}',
    '{"credsStore": "../../bin/sh"}', '{"credHelpers": {"HOST": ["x"]}}',
])  # fmt: skip
def test_a_damaged_file_of_docker_is_named(guarded: RealRegistry, login: Login, text: str) -> None:
    file = login()
    file.write_text(text.replace("HOST", guarded.host), "latin-1")
    error = refusal(guarded)
    assert "Docker's file with credentials can't be used" in error.what
    assert error.where == str(file)


def test_an_open_registry_needs_no_file(registry: RealRegistry, login: Login) -> None:
    registry.push("open/engine", "v1.0.5")
    login().write_text("{")
    assert look(registry, "open/engine")


def test_everybody_gets_a_token_for_what_is_public(tokens: Tokens) -> None:
    registry, server = tokens
    server.asked.clear()
    assert look(registry, "public/engine")
    assert server.asked == [("GET", "anonymous", "repository:public/engine:pull")]


def test_a_password_is_exchanged_for_a_token(tokens: Tokens, login: Login) -> None:
    registry, server = tokens
    server.asked.clear()
    login(auths={registry.host: KNOWN})
    found = Registry(registry.image("team/engine"), plain_http=True)
    assert found.digest("v1.0.5")
    assert found.digest("v1.0.6") is None
    assert found.tags() == ["v1.0.5"]
    assert server.asked == [("GET", "known", "repository:team/engine:pull")]


def test_a_token_that_ran_out_is_fetched_anew(tokens: Tokens, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, server = tokens
    login(auths={registry.host: KNOWN})
    server.asked.clear()
    found = Registry(registry.image("team/engine"), plain_http=True)
    assert found.digest("v1.0.5")
    found._client._authorization = "Bearer old"
    assert found.digest("v1.0.5")
    assert len(server.asked) == 2


def test_an_identity_token_is_exchanged_for_a_token(tokens: Tokens, login: Login, helper: Helper) -> None:
    registry, server = tokens
    server.asked.clear()
    login(auths={registry.host: {"identitytoken": token_server.REFRESH}})
    assert look(registry)
    helper("identity", f"print(json.dumps({{'Username': '<token>', 'Secret': {token_server.REFRESH!r}}}))\n")
    login(credsStore="identity")
    assert look(registry)
    assert server.asked == [("POST", "known", "repository:team/engine:pull")] * 2


def test_a_registry_token_is_sent_as_it_is(tokens: Tokens, login: Login) -> None:
    registry, server = tokens
    login(auths={registry.host: {"registrytoken": server.token("repository:team/engine:pull")}})
    server.asked.clear()
    assert look(registry)
    assert server.asked == []


def test_a_token_server_that_refuses_is_named(tokens: Tokens, login: Login) -> None:
    registry, server = tokens
    error = refusal(registry)
    assert "wants credentials, and there are none" in error.what
    assert error.where == server.url
    server.asked.clear()
    login(auths={registry.host: docker_login.encoded(USER, "hunter2")})
    error = refusal(registry)
    assert "refuses the credentials" in error.what
    assert len(server.asked) == 1
    assert base64.b64encode(b"reader:hunter2").decode() not in everything(error)


def test_a_credential_shows_nowhere(tokens: Tokens, login: Login, caplog: pytest.LogCaptureFixture) -> None:
    registry, server = tokens
    login(auths={registry.host: KNOWN})
    caplog.set_level(logging.DEBUG)
    found = Registry(registry.image("team/engine"), plain_http=True)
    assert found.digest("v1.0.5")
    secrets = (PASSWORD, BASIC, found._client._authorization.removeprefix("Bearer "))
    text = caplog.text + repr(found) + repr(Credentials(USER, PASSWORD)) + str([Credentials(USER, PASSWORD)])
    assert f"GET {server.url}: 200" in text
    assert not [secret for secret in secrets if secret in text]


def everything(error: ReleaseError) -> str:
    """All that may ever be shown of an error, its causes included."""
    assert error.__cause__ is None
    return " ".join((error.what, error.where, error.cause, error.hint, repr(error), str(error)))


def test_the_names_of_docker_hub_are_one(login: Login) -> None:
    for name in ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"):
        login(auths={name: KNOWN})
        assert find(reference.parse("team/engine").login, 1) == (USER, PASSWORD, "", "")


def test_old_names_with_a_scheme_are_found(login: Login) -> None:
    for name in ("registry.example.com", "https://registry.example.com", "https://registry.example.com/v1/"):
        login(auths={name: KNOWN, "other": {}})
        assert find("registry.example.com", 1) == (USER, PASSWORD, "", "")
    assert find("registry.example.com:5000", 1) is None
    assert find("example.com", 1) is None


def test_a_user_without_encoding_is_read_too(login: Login) -> None:
    login(auths={"registry.example.com": {"username": USER, "password": PASSWORD}})
    assert find("registry.example.com", 1) == (USER, PASSWORD, "", "")


def test_the_variable_of_docker_comes_before_its_files(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    login(auths={"registry.example.com": KNOWN, "other.example.com": KNOWN})
    given = {"auths": {"registry.example.com": docker_login.encoded("robot", "of the job")}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(given))
    assert find("registry.example.com", 1) == ("robot", "of the job", "", "")
    assert find("other.example.com", 1) == (USER, PASSWORD, "", ""), "what the variable doesn't know"
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "s3cret")
    with pytest.raises(ReleaseError, match="variable DOCKER_AUTH_CONFIG can't be used") as error:
        find("registry.example.com", 1)
    assert "s3cret" not in everything(error.value)


@pytest.mark.parametrize(
    ("image", "host", "path"),
    [
        ("registry.example.com/team/engine", "registry.example.com", "team/engine"),
        ("localhost:5000/engine", "localhost:5000", "engine"),
        ("localhost/engine", "localhost", "engine"),
        ("registry:5000/engine", "registry:5000", "engine"),
        ("team/engine", "registry-1.docker.io", "team/engine"),
        ("engine", "registry-1.docker.io", "library/engine"),
        ("docker.io/engine", "registry-1.docker.io", "library/engine"),
        ("index.docker.io/team/engine", "registry-1.docker.io", "team/engine"),
        ("team/sub/engine", "registry-1.docker.io", "team/sub/engine"),
    ],
)
def test_names_are_read_as_docker_reads_them(image: str, host: str, path: str) -> None:
    found = reference.parse(image)
    assert (found.host, found.path) == (host, path)


@pytest.mark.parametrize("image", [
    "", "/", "https://registry.example.com/engine", "user:pass@example.com/engine", "registry.example.com/Engine",
    "registry.example.com/engine:v1", "registry.example.com/../engine", "registry.example.com/engine?x",
    "registry.example.com/engine#x", "registry.example.com:123456/engine", "registry.example.com/",
    "registry.example.com//engine", "registry.example.com\\c/engine", "registry.example.com /engine",
    "ä.example.com/engine", "engine@sha256:0",
])  # fmt: skip
def test_what_is_no_name_of_an_image_is_refused(image: str) -> None:
    with pytest.raises(ReleaseError, match="is no repository of an image"):
        Registry(image)
