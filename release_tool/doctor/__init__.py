"""What `release doctor` makes of what it sees. Pure: `commands/doctor.py` looks, these modules judge."""
