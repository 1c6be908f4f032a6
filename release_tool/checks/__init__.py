"""What `release check` can find in files, records and configuration: texts in, findings out.

`commands/check.py` reads the files, and asks each module here in turn.
"""
