"""Pull requests on github.com, GitHub Enterprise Cloud and GitHub Enterprise Server: `forge.py` keeps the contract."""
