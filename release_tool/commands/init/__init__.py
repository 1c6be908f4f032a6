"""`release init`: what a repository needs, made ready as a whole, tried by `release check`, and then written."""
