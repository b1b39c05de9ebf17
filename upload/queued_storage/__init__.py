"""A storage that saves here at once and moves the file elsewhere in the background."""
