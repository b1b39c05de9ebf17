"""The storage of static files: hashed names also for what a script imports.

So every module of a page is kept by browsers for good, and an update never mixes an
old module with new ones.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Whitenoise's storage; modules' imports are rewritten to the hashed names."""

    support_js_module_import_aggregation = True
