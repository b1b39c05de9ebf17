"""The setting DESTINATIONS is read from JSON that may hold secrets."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import env


def test_an_unset_variable_names_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESTINATIONS", raising=False)

    assert env.backends("DESTINATIONS") == {}


def test_backends_are_read_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "destinations.json"
    file.write_text('{"box": {"BACKEND": "a.B", "OPTIONS": {"password": "x"}}}')
    monkeypatch.setenv("DESTINATIONS_FILE", str(file))

    found = env.backends("DESTINATIONS")

    assert found == {"box": {"BACKEND": "a.B", "OPTIONS": {"password": "x"}}}


@pytest.mark.parametrize(
    "text",
    [
        '{"box": {"BACKEND": "a.B", "OPTIONS": {"password": "s3cret"',
        '["s3cret"]',
        '{"box": "s3cret"}',
        '{"box": {"OPTIONS": {"password": "s3cret"}}}',
        '{"box": {"BACKEND": "a.B", "OPTIONS": "s3cret"}}',
    ],
)
def test_a_wrong_text_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DESTINATIONS", text)

    with pytest.raises(ImproperlyConfigured, match="must be a JSON object") as refused:
        env.backends("DESTINATIONS")

    assert "s3cret" not in str(refused.value)


REMOTE = "UPLOADED_STORAGE_REMOTE"


def test_an_unset_remote_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REMOTE, raising=False)

    assert env.backend(REMOTE, "a.B") == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"OPTIONS": {"x": 1}}', {"BACKEND": "a.B", "OPTIONS": {"x": 1}}),
        ('{"BACKEND": "c.D"}', {"BACKEND": "c.D", "OPTIONS": {}}),
    ],
)
def test_what_a_remote_leaves_out_is_filled_in(
    monkeypatch: pytest.MonkeyPatch, text: str, found: dict[str, object]
) -> None:
    monkeypatch.setenv(REMOTE, text)

    assert env.backend(REMOTE, "a.B") == found


@pytest.mark.parametrize(
    "text", ['{"OPTIONS": "s3cret"}', '["s3cret"]', '"s3cret"', "{s3cret", "{}", "7"]
)
def test_a_wrong_remote_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(REMOTE, text)

    with pytest.raises(ImproperlyConfigured, match="must be a JSON object") as refused:
        env.backend(REMOTE, "a.B")

    assert "s3cret" not in str(refused.value)
    assert refused.value.__context__ is None
