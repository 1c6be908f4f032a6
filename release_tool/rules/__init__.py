"""The rules of versions: what an operation and the sweep change, each change with its reason."""
