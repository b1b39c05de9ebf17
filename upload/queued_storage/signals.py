"""``file_transferred(sender, name, local, remote)``, sent once a row says so.

``sender`` is the task's class. Where the remote had to choose another name, ``remote``
answers to ``name`` all the same.
"""

from django.dispatch import Signal

file_transferred = Signal()
