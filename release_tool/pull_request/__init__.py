"""The text of commits and pull requests: title and body, in Markdown. `compose` is the face."""
