"""The one exception the simulator shows to people."""


class SimError(ValueError):
    """Something the user can put right; the text is one line that says how."""
