"""Keep the catalogues of messages: ``python -m tests.messages``, or ``make messages``.

``extraction`` finds what is to be translated, ``catalogues`` writes it into the
portal's po and mo files. A program beside the tests, because they hold the
catalogues to what it finds.
"""
