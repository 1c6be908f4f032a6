"""Azure DevOps: Azure DevOps Services, and Azure DevOps Server of 2020 and newer."""
