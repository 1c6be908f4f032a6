"""`release`: keeps the set of live versions of a service in Git."""

__version__ = "0.1.0"
