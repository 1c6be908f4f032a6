"""Byte-exact edits of any YAML text: `edits` is the face."""
