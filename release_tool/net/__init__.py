"""HTTP to the outside, and what comes from there: bounded in time and size, with no secret in any text."""
