"""What `repository.py` is made of: git as a program, its objects, its answers. Nobody else runs git."""
