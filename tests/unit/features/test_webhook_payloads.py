"""Messages that receivers can read, whatever the event holds."""

import json
from typing import Any

import pytest

from mooring.features.webhooks.payloads import EVENT_TYPES, Happening, is_slack, message


def happening(data: dict[str, Any], operator: str = "ada") -> Happening:
    return Happening("PUSH_ARTIFACT", 1_795_490_449_000_000, operator, data, 7)


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T0/B0/abc",
        "hooks.slack.com/services/T0/B0/abc",
        "https://HOOKS.slack.com/services/T0/B0/abc",
        "https://hooks.slack-gov.com/services/T0/B0/abc",
    ],
)
def test_slacks_addresses_are_known_whatever_the_type_says(address: str) -> None:
    assert is_slack(address)


@pytest.mark.parametrize("address", ["https://slack.com/", "https://hooks.slack.com.evil.example/", "http://a/", "x"])
def test_others_are_not_slacks(address: str) -> None:
    assert not is_slack(address)


def test_a_message_for_slack_means_nothing_but_what_it_says() -> None:
    made = message(happening({"a": '<!channel> & "b"\n`c`'}, "<@everybody>"), 1, "", for_slack=True)
    texts = [each["text"]["text"] for each in json.loads(made.body)["blocks"]]
    assert texts[2] == "*occur_at:* <!date^1795490449^{date} at {time}|2026-11-24T03:20:49.000Z>"
    assert texts[3] == "*operator:* &lt;@everybody&gt;"
    assert "<!channel>" not in texts[5]
    assert texts[5].startswith('```{\n\t"a": "&lt;!channel&gt; &amp; ')


@pytest.mark.parametrize("count", [1, 20, 400])
def test_a_message_for_slack_is_never_longer_than_slack_takes(count: int) -> None:
    made = message(happening({"deleted": [f"image-{number}:v1" for number in range(count)]}), 1, "", for_slack=True)
    texts = [each["text"]["text"] for each in json.loads(made.body)["blocks"]]
    assert all(len(each) <= 3000 for each in texts)
    assert texts[5].endswith("…```" if count == 400 else "}```")


def test_each_delivery_has_an_id_of_its_own_which_a_cloud_event_tells() -> None:
    made = [message(happening({}), 1, "CloudEvents", for_slack=False) for _ in range(2)]
    assert [json.loads(each.body)["id"] for each in made] == [each.id for each in made]
    assert made[0].id != made[1].id
    assert "requestid" not in json.loads(made[0].body)


def test_the_event_types_are_harbors_in_its_order() -> None:
    assert list(EVENT_TYPES)[:3] == ["PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT"]
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES.values())) == 10
