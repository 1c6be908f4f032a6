"""What docs/forges/index.md tells of all forges in tables: what each can do, and how often a bump asks it."""

from __future__ import annotations

REQUESTS: dict[str, dict[str, int]] = {
    "github": {"opens": 4, "updates": 3, "nothing to do": 2, "opens the next": 4},
}
