"""CI systems: what a job takes from a command, and how `action.yml` and the templates run one."""
