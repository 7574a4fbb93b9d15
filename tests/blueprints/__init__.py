"""The blueprints that are shipped, each set up and run as a user would have it."""
