"""Pull requests on Gitea and Forgejo (Codeberg, too), whose API is the same: `forge.py` keeps the contract."""
