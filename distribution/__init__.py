"""What a release of the tool is made of. `.github/workflows/release.yml` runs it, and the tests run the same."""
