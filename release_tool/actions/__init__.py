"""GitHub Actions: what a job takes from a command, and how `action.yml` runs one."""
