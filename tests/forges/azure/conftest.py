"""The stand-in of Azure DevOps for the tests of this folder; it verifies itself at the end of each test."""

from __future__ import annotations

import pytest
from azure_shop import AzureShop
from azure_standin import Azure
from fixtures import azure, no_proxy  # noqa: F401


@pytest.fixture
def shop(azure: Azure) -> AzureShop:  # noqa: F811
    return AzureShop(azure)
