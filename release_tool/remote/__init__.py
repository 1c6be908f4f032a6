"""What stands in the git remote: branches, files, names, ages, and the manifests that they give."""
