"""Measurements of the promised figures.

Each ``bench_*.py`` here has ``run()``, which returns rows of what was measured, the
figure found, the limit, and whether it holds, for example
``("store 5 GiB", "41 s", "90 s", True)``.
"""
