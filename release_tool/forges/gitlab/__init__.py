"""GitLab: merge requests by its REST API (version 4), gitlab.com and self-managed, 16 and newer."""
