"""One git remote, and the checkout of a user: the only package that runs git. `repository.py` is its face."""
