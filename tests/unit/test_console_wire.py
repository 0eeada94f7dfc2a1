"""Messages laid out for reading, whatever state they are in, and the routing in words."""

from collections.abc import AsyncIterator

import pytest

from api.console.transaction.route_words import routing_of
from api.console.transaction.wire import conversations, pretty
from domain.exchange import Operation
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import OP, Switchboard, TestClock
from tests.trace import entries, words


@pytest.mark.parametrize(
    ("text", "laid_out"),
    [
        ('{"a":[1,{"b":"x"}]}', '{\n  "a": [\n    1,\n    {\n      "b": "x"\n    }\n  ]\n}'),
        ('buyElectricity {"a":1}', 'buyElectricity\n{\n  "a": 1\n}'),
        ('{"cut": "of', '{"cut": "of'),
        ("<a><b>x</b><c/></a>", "<a>\n  <b>x</b>\n  <c/>\n</a>"),
        ("<?xml version='1.0'?><a/>", "<?xml version='1.0'?>\n<a/>"),
        ("<a><b>cut o", "<a>\n  <b>cut o"),
        ("<a><b></a></b></c>x", "<a>\n  <b></a>\n</b>\n</c>\nx"),
        ("no answer", "no answer"),
        ("", ""),
        ("<", "<"),
    ],
)
def test_a_message_is_laid_out(text: str, laid_out: str) -> None:
    assert pretty(text) == laid_out


def test_nothing_in_a_message_is_acted_on_and_depth_costs_nothing() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    assert "&c;" in pretty(bomb)
    deep = "[" * 60_000
    assert pretty(deep) == deep


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Three providers: Ann ranked, Bob by weight, Cid excluded."""
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in ("ann", "bob", "cid")])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["ann"], ["cid"], OP)
    await board.look_up("l1")
    await board.quiet()
    yield board
    await board.close()


async def test_every_exchange_has_its_request_and_what_came_back(board: Switchboard) -> None:
    board.providers["ann"].fault = lambda operation: (
        Fault.SILENT_AFTER if operation is Operation.VEND else Fault.NONE
    )
    await board.buy("p1")
    channel, vend = conversations(entries(board, "p1"), words(board))
    assert (channel.title, channel.messages[0].text) == ("Channel → switch: purchase", "{}")
    assert vend.title == "Switch → Ann: vend, reference ann-2"
    request, response = vend.messages
    assert request.text == "?"
    assert response.text is None
    assert response.note == "No answer that could be read. no answer"


async def test_the_routing_says_why_in_words(board: Switchboard) -> None:
    await board.steering.disable("bob", OP)
    await board.buy("p1")
    routing = routing_of([entry.event for entry in entries(board, "p1")], words(board))
    assert routing is not None
    assert [(one.provider, one.verdict, one.reason) for one in routing.choices] == [
        ("Ann", "first", "rank 1 of Test Municipality"),
        ("Bob", "left out", "was disabled"),
        ("Cid", "left out", "is excluded by the utility's preferences"),
    ]
    assert routing.draw == "Chance had no part in it."


async def test_a_draw_is_told_with_its_weights(board: Switchboard) -> None:
    await board.steering.set_preferences("Test Municipality", [], ["cid"], OP)
    await board.buy("p1")
    routing = routing_of([entry.event for entry in entries(board, "p1")], words(board))
    assert routing is not None
    assert [one.reason for one in routing.choices][:2] == ["drawn by weight (1)"] * 2
    assert "among weights that add up to 2" in routing.draw
