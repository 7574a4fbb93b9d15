"""Adding, changing and tuning a site in the user interface."""
