"""No token, no signed address reaches a log line, whichever way it got into the record."""

import logging

import pytest

from bot.logs import REDACTED, RedactingFormatter, redact, setup_logging

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4" + ".Cl2FMQ." + "ZnCjm1XVW7vRze4b7Cq4se7kKWsABCDEF"  # made up
INTERACTION = "aW50ZXJhY3Rpb246ODQ2OTQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MA"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"login with {TOKEN} failed", TOKEN),
        (f"PATCH /webhooks/123456/{INTERACTION}/messages/@original", INTERACTION),
        (f"POST /interactions/123456/{INTERACTION}/callback", INTERACTION),
        ("Authorization: Bot abcdef.ghijk", "abcdef.ghijk"),
        ("https://cdn.example/a.png?ex=66a1&is=66a0&hm=deadbeef12", "deadbeef12"),
        ("my-master-key", "my-master-key"),
    ],
)
def test_secrets_are_taken_out(line, secret):
    shown = redact(line, ["my-master-key", ""])
    assert secret not in shown
    assert REDACTED in shown


def test_the_rest_of_a_line_stays():
    line = "POST /webhooks/123456/short and /channels/1/messages?limit=5: panel 12 is done"
    assert redact(line) == line


def test_arguments_and_tracebacks_are_redacted_too():
    formatter = RedactingFormatter([TOKEN])
    try:
        raise RuntimeError(f"bad {TOKEN}")
    except RuntimeError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "with %s", (TOKEN,), (type(error), error, None)
        )
    shown = formatter.format(record)
    assert TOKEN not in shown
    assert shown.count(REDACTED) == 2


def test_setup_adds_one_redacting_handler():
    before = logging.getLogger().level
    handler = setup_logging("WARNING", secrets=[TOKEN])
    try:
        assert isinstance(handler.formatter, RedactingFormatter)
        assert handler in logging.getLogger().handlers
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(before)
