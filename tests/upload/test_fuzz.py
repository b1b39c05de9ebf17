"""No answer of 500 and nothing stored that was refused, whatever is sent.

``make fuzz`` sends 20,000 requests; the suite a sample with a seed of its own.
"""

import logging
import os
from typing import Any

import pytest

from tests.upload.fuzzing import prepared

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "20261126"))


@pytest.mark.django_db(transaction=True)
def test_every_request_has_a_clear_answer_and_keeps_what_it_says(
    uploader: Any, other_uploader: Any, clerk: Any, auditor: Any, settings: Any
) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 50
    logging.disable(logging.ERROR)  # tens of thousands of refusals
    try:
        fuzz = prepared(SEED, [uploader, other_uploader, clerk, auditor])
        for _number in range(REQUESTS):
            fuzz.send()
    finally:
        logging.disable(logging.NOTSET)

    assert fuzz.conclude() == []
    assert {200, 201, 204, 400, 404} <= set(fuzz.statuses), fuzz.statuses
    assert fuzz.tus.kept
