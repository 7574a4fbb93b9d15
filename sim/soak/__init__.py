"""`python -m sim soak`: does the integration last, whatever the nodes do?

The only part of the simulator, with `decode` and `check`, that imports the
integration; so nothing else may import it.
"""
