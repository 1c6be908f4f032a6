"""`image_tag.yaml`: what the file says (`read`), and changes of it to the byte (`edit`)."""

from release_tool.tagfile.editor import edit
from release_tool.tagfile.reader import TagFile, read, read_leniently

__all__ = ["TagFile", "edit", "read", "read_leniently"]
