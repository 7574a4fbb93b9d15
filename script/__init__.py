"""What developers run: set up, check, test, and show."""
