"""The judge lets good requests through and fails planted bad ones."""

import copy

import pytest
from discord_contract import OPENAPI, OpenApiJudge, Request, openapi_judge, rule_violations

NOBODY = {"parse": []}
MESSAGES = "/channels/41771983423143937/messages"
CARD = {
    "flags": 1 << 15,
    "allowed_mentions": NOBODY,
    "tts": False,
    "nonce": "0123456789abcdef01234567",
    "enforce_nonce": True,
    "attachments": [{"id": 0, "filename": "a.png", "description": "A"}],
    "components": [
        {
            "type": 17,
            "accent_color": 255,
            "components": [
                {"type": 10, "content": "## Panel 1"},
                {"type": 12, "items": [{"media": {"url": "attachment://a.png"}}]},
                {
                    "type": 1,
                    "components": [
                        {"type": 2, "style": 1, "label": "Vote A", "custom_id": "om:vote:1:1"},
                        {"type": 2, "style": 1, "label": "Vote B", "custom_id": "om:vote:1:2"},
                    ],
                },
            ],
        }
    ],
}


def card(**changed):
    return {**copy.deepcopy(CARD), **changed}


def buttons(body):
    return body["components"][0]["components"][2]["components"]


def send(body, **more):
    return Request("POST", MESSAGES, body, files=(("a.png", 1000),), **more)


@pytest.fixture
def judge() -> OpenApiJudge:
    judge = openapi_judge()
    if judge is None:
        pytest.skip(f"{OPENAPI} is not at hand: requests are judged by the documented rules only")
    return judge


def test_a_good_card_passes_both_judges(judge):
    assert judge.violations(send(card())) == []
    assert rule_violations(send(card())) == []
    assert judge.judged == {"create_message": 1} or judge.judged["create_message"] >= 1


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/webhooks/1/token/messages/@original", "update_original_webhook_message"),
        ("/webhooks/1/token/messages/2", "update_webhook_message"),
    ],
)
def test_literal_segments_win_over_ids(judge, path, operation):
    before = judge.judged[operation]
    assert judge.violations(Request("PATCH", path, {"content": "x"})) == []
    assert judge.judged[operation] == before + 1


def test_integers_of_a_query_may_come_as_strings(judge):
    for limit in (50, "50"):
        assert judge.violations(Request("GET", MESSAGES, params={"limit": limit})) == []
    assert judge.violations(Request("GET", MESSAGES, params={"limit": "many"})) != []
    assert judge.violations(Request("GET", MESSAGES, params={"limits": 5})) != []


def long_label(body):
    buttons(body)[0]["label"] = "x" * 81


def misspelt(body):
    body["component"] = body["components"]


def misspelt_deep_down(body):
    buttons(body)[0]["costum_id"] = "x"


def wrong_type(body):
    buttons(body)[0]["style"] = "primary"


def empty_row(body):
    buttons(body).clear()


def long_nonce(body):
    body["nonce"] = "x" * 26


@pytest.mark.parametrize(
    "plant", [long_label, misspelt, misspelt_deep_down, wrong_type, empty_row, long_nonce]
)
def test_discords_description_fails_a_planted_violation(judge, plant):
    body = card()
    plant(body)
    assert judge.violations(send(body)) != []


def test_an_unknown_route_fails(judge):
    assert judge.violations(Request("POST", "/channels/1/massages", card())) != []


def test_a_body_where_none_is_taken_fails(judge):
    assert judge.violations(Request("PUT", "/channels/1/thread-members/2")) == []
    assert judge.violations(Request("PUT", "/channels/1/thread-members/2", {"a": 1})) != []


def twice(body):
    buttons(body)[1]["custom_id"] = buttons(body)[0]["custom_id"]


def too_long_id(body):
    buttons(body)[0]["custom_id"] = "x" * 101


def dangling(body):
    body["components"][0]["components"][1]["items"][0]["media"]["url"] = "attachment://b.png"


def too_much_text(body):
    body["components"][0]["components"][0]["content"] = "x" * 4001


def too_many_components(body):
    body["components"][0]["components"] += [{"type": 10, "content": "x"}] * 35


def pings_by_default(body):
    del body["allowed_mentions"]


def pings_users(body):
    body["allowed_mentions"] = {"parse": ["users"]}


def content_too(body):
    body["content"] = "hello"


@pytest.mark.parametrize(
    "plant",
    [
        twice,
        too_long_id,
        dangling,
        too_much_text,
        too_many_components,
        pings_by_default,
        pings_users,
        content_too,
    ],
)
def test_the_documented_rules_fail_a_planted_violation(plant):
    body = card()
    assert rule_violations(send(body)) == []
    plant(body)
    assert rule_violations(send(body)) != []


def test_rules_that_are_not_in_a_message():
    long_name = Request("POST", "/channels/1/threads", {"name": "x" * 101, "type": 12})
    assert rule_violations(long_name) != []
    big = Request("POST", MESSAGES, card(), files=(("a.png", 10 * 2**20 + 1),))
    assert rule_violations(big) != []
    late = Request("PATCH", "/webhooks/1/t/messages/@original", at=901.0, token_born=0.0)
    assert rule_violations(late) != []


def test_an_edit_keeps_the_files_that_it_does_not_replace():
    body = card()
    del body["attachments"]
    edit = Request("PATCH", f"{MESSAGES}/5", body, kept_files=("a.png",))
    assert rule_violations(edit) == []
    body["attachments"] = []
    assert rule_violations(edit) != []
