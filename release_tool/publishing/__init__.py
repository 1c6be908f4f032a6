"""From an intent to a landed or proposed change: look at the remote, plan, render, push, open the pull request."""
