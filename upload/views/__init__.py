"""The HTTP views, one module a thing: they ask the core and decide nothing."""
