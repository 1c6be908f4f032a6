"""One verb a file: read, plan, apply, give an outcome back. Nothing here prints."""
