"""Where a repository is on Azure DevOps, by the URL of its remote."""

from __future__ import annotations

import pytest

from release_tool.errors import ReleaseError
from release_tool.forges import recognise
from release_tool.forges.azure.address import AzureAddress, address_of, find_for
from release_tool.forges.azure.client import login

CLOUD = "https://dev.azure.com/acme"
OWN = "https://tfs.acme.example"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://dev.azure.com/acme/shop/_git/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("https://acme@dev.azure.com/acme/shop/_git/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("https://dev.azure.com/acme/_git/gitops", AzureAddress(CLOUD, "gitops", "gitops")),
        ("https://dev.azure.com/acme/My%20Shop/_git/50%25%20off", AzureAddress(CLOUD, "My Shop", "50% off")),
        ("https://dev.azure.com/acme/shop/_git/_optimized/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("https://dev.azure.com/acme/shop/_git/gitops.git", AzureAddress(CLOUD, "shop", "gitops.git")),
        ("git@ssh.dev.azure.com:v3/acme/shop/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("git@ssh.dev.azure.com:v3/acme/My%20Shop/gitops", AzureAddress(CLOUD, "My Shop", "gitops")),
        ("ssh://git@ssh.dev.azure.com/v3/acme/shop/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("acme@vs-ssh.visualstudio.com:v3/acme/shop/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("https://acme.visualstudio.com/shop/_git/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("https://acme.visualstudio.com/DefaultCollection/shop/_git/gitops", AzureAddress(CLOUD, "shop", "gitops")),
        ("https://acme.visualstudio.com/_git/gitops", AzureAddress(CLOUD, "gitops", "gitops")),
        (f"{OWN}/DefaultCollection/shop/_git/gitops", AzureAddress(f"{OWN}/DefaultCollection", "shop", "gitops")),
        (f"{OWN}/DefaultCollection/_git/gitops", AzureAddress(f"{OWN}/DefaultCollection", "gitops", "gitops")),
        (f"{OWN}/tfs/Team%20X/shop/_git/gitops", AzureAddress(f"{OWN}/tfs/Team%20X", "shop", "gitops")),
        (f"{OWN}/tfs/DefaultCollection/_git/gitops", AzureAddress(f"{OWN}/tfs/DefaultCollection", "gitops", "gitops")),
        (f"{OWN}/a/b/DefaultCollection/shop/_git/gitops", AzureAddress(f"{OWN}/a/b/DefaultCollection", "shop", "gitops")),
        ("ssh://tfs.acme.example:22/Coll/shop/_git/gitops", AzureAddress(f"{OWN}/Coll", "shop", "gitops")),
        ("ssh://tfs.acme.example:22/tfs/Coll/shop/_ssh/gitops", AzureAddress(f"{OWN}/tfs/Coll", "shop", "gitops")),
    ],
)  # fmt: skip
def test_a_remote_tells_its_repository(url: str, expected: AzureAddress) -> None:
    assert address_of(url, "", {}) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://dev.azure.com/acme/shop/gitops",
        "https://dev.azure.com/acme/shop/team/_git/gitops",
        "https://dev.azure.com/_git/gitops",
        "https://dev.azure.com/acme/shop/_git",
        "https://dev.azure.com/acme/../_git/gitops",
        "https://dev.azure.com/acme/%2e%2e/_git/gitops",
        "https://dev.azure.com/acme/a%2Fb/_git/gitops",
        "https://dev.azure.com/acme/a%0Ab/_git/gitops",
        "git@ssh.dev.azure.com:v3/acme/gitops",
        f"{OWN}/_git/gitops",
        f"{OWN}/gitops.git",
        "/srv/git/gitops.git",
    ],
)
def test_what_is_no_repository_of_azure_devops_is_refused(url: str) -> None:
    with pytest.raises(ReleaseError, match="not that of a repository on Azure DevOps") as caught:
        address_of(url, "", {})
    assert "PROJECT/_git/REPOSITORY" in caught.value.hint


@pytest.mark.parametrize("named", [f"{OWN}/azure", f"{OWN}/azure/Coll", f"{OWN}/azure/Coll/"])
@pytest.mark.parametrize("path", ["azure/Coll/shop/_git/shop", "azure/Coll/_git/shop"])
def test_the_environment_tells_a_prefix_or_the_collection(named: str, path: str) -> None:
    if named == f"{OWN}/azure" and path == "azure/Coll/_git/shop":
        named = f"{OWN}/azure/Coll"  # that prefix and `tfs` alone can't be told from a collection
    found = address_of(f"{OWN}/{path}", "", {"AZURE_DEVOPS_URL": named})
    assert found == AzureAddress(f"{OWN}/azure/Coll", "shop", "shop")


def test_forge_url_names_the_collection_of_a_remote_by_ssh() -> None:
    found = address_of("ssh://git.acme.example:22/Coll/shop/_git/gitops", OWN, {})
    assert found == AzureAddress(f"{OWN}/Coll", "shop", "gitops")


def test_names_are_encoded_for_the_api_and_for_people() -> None:
    address = AzureAddress(CLOUD, "My Shop", "50% off")
    assert address.path == "/My%20Shop/_apis/git/repositories/50%25%20off"
    assert address.url(12) == f"{CLOUD}/My%20Shop/_git/50%25%20off/pullrequest/12"
    assert address.identities == "https://vssps.dev.azure.com/acme"
    assert AzureAddress(f"{OWN}/Coll", "shop", "gitops").identities == f"{OWN}/Coll"


@pytest.mark.parametrize(
    "url",
    [
        "https://dev.azure.com/acme/shop/_git/gitops",
        "git@ssh.dev.azure.com:v3/acme/shop/gitops",
        "https://acme.visualstudio.com/shop/_git/gitops",
        "acme@vs-ssh.visualstudio.com:v3/acme/shop/gitops",
    ],
)
def test_the_service_is_known_by_its_name_and_gets_the_token(url: str) -> None:
    assert recognise.kind_of(url, {}) == "azure"
    token = find_for(address_of(url, "", {}), {"AZURE_DEVOPS_EXT_PAT": "secret"})
    assert token is not None
    assert token.source == "AZURE_DEVOPS_EXT_PAT"


def test_a_server_that_only_the_repository_names_gets_no_token() -> None:
    address = address_of(f"{OWN}/Coll/shop/_git/gitops", "", {})
    with pytest.raises(ReleaseError, match="not sent") as caught:
        find_for(address, {"AZURE_DEVOPS_TOKEN": "secret"})
    assert f"AZURE_DEVOPS_URL={OWN}/Coll" in caught.value.hint
    assert find_for(address, {"AZURE_DEVOPS_TOKEN": "secret", "AZURE_DEVOPS_URL": f"{OWN}/Coll"}) is not None


def test_a_personal_token_is_a_password_and_that_of_a_job_a_bearer() -> None:
    assert login("secret") == ("Authorization", "Basic OnNlY3JldA==")
    assert login("eyJ0eXAi.eyJuYW1l.c2ln") == ("Authorization", "Bearer eyJ0eXAi.eyJuYW1l.c2ln")
