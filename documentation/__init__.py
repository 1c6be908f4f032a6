"""What makes the documentation: pages generated from the code, and the hooks of MkDocs. The wheel has none of it."""
