"""Storages on other machines, each usable on its own or behind a queued storage.

Import the module that is wanted: each needs its own optional dependency.
"""
