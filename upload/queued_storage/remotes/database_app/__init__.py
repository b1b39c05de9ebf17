"""The tables of ``DatabaseStorage``; installed only where files shall lie in them."""
