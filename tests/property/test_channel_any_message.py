"""Whatever a channel sends, it is told what is wrong in the interface's own terms."""

import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from schemathesis.schemas import BaseSchema

from api.channel.message.error import ErrorDetail
from api.channel.openapi import document
from tests.channel import (
    BASE,
    PASSWORD,
    USER,
    ScriptedSwitch,
    advice_message,
    confirmation_message,
    fault_message,
    key_change_message,
    lookup_message,
    purchase_message,
    reprint_message,
    reversal_message,
    served_in_a_thread,
)

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
CONTENT_TYPE = {"Content-Type": "application/json"}
MESSAGES = {
    "meterLookups/m": lookup_message(id="m"),
    "tokenPurchases/m": purchase_message(id="m", paymentMethods=[{"type": "CARD", "pan": "5"}]),
    "tokenPurchases/m/retry": purchase_message(id="m"),
    "tokenPurchases/p/confirmations/m": confirmation_message(id="m", requestId="p"),
    "tokenPurchases/p/reversals/m": reversal_message(id="m", requestId="p"),
    "tokenPurchases/m/trial": purchase_message(id="m"),
    "tokenReprints/m": reprint_message(id="m", originalRef="R1"),
    "faultReports/m": fault_message(id="m", customer={"lastName": "A"}, faultDescription="dead"),
    "keyChangeTokenRequests/m": key_change_message(id="m"),
    "keyChangeTokenRequests/p/confirmations/m": advice_message(id="m", requestId="p"),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served_in_a_thread(ScriptedSwitch()) as served:
        yield served


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.auth = (USER, PASSWORD)
        yield opened


@pytest.fixture(scope="module")
def schema(url: str) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


def assert_in_terms(response: requests.Response) -> None:
    """A success, or a final failure with an ErrorDetail: nothing was wrong on our side."""
    if response.status_code in (200, 201, 202):
        assert None not in values(response.json())
        return
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/json"
    ErrorDetail.model_validate_json(response.content, strict=True)
    assert response.json()["errorType"] in ("FORMAT_ERROR", "INVALID_AMOUNT")


def values(value: JsonValue) -> Iterator[JsonValue]:
    """The value and everything in it."""
    yield value
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from values(member)


def places(value: JsonValue, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a message."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in items:
            yield (*place, name)
            yield from places(member, (*place, name))


@pytest.mark.parametrize("path", MESSAGES)
@BOUNDED
@given(data=st.data())
def test_any_value_anywhere(
    url: str, session: requests.Session, path: str, data: st.DataObject
) -> None:
    message = json.loads(json.dumps(MESSAGES[path]))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(sorted(places(message), key=str)))
        target = message
        for name in place[:-1]:
            target = target[name]
        target[place[-1]] = data.draw(JSON)
    text = json.dumps(message)  # infinities too, which are no JSON
    response = session.post(f"{url}{BASE}/{path}", data=text, headers=CONTENT_TYPE)
    assert_in_terms(response)


@BOUNDED
@given(body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes(url: str, session: requests.Session, body: bytes) -> None:
    response = session.post(f"{url}{BASE}/tokenPurchases/m", data=body, headers=CONTENT_TYPE)
    assert_in_terms(response)


@BOUNDED
@given(segments=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
def test_any_path(url: str, session: requests.Session, segments: list[str]) -> None:
    known = [segment for segment in segments if segment not in (".", "..")]
    path = "/".join(quote(segment.encode(errors="replace"), safe="") for segment in known)
    response = session.post(f"{url}{BASE}/{path}", json={})
    assert response.status_code in (400, 404, 501)
    ErrorDetail.model_validate_json(response.content, strict=True)


@pytest.mark.parametrize("path", list(document(202, "1")["paths"]))
@BOUNDED
@given(data=st.data())
def test_messages_made_from_the_served_document(
    schema: BaseSchema, session: requests.Session, path: str, data: st.DataObject
) -> None:
    """The document tells the truth: its messages are understood and its answers are as it says."""
    # Untyped, because the library's annotations don't say what its generic Case is a case of.
    operation = cast("Any", schema[path]["POST"])
    case = data.draw(operation.as_strategy())
    # Stricter than the document on purpose: ids are short, a meter has a number, and U+0000 can't
    # be kept.
    case.body = json.loads(json.dumps(case.body).replace("\\u0000", "")) | {"id": "m"}
    case.path_parameters = dict.fromkeys(case.path_parameters, "m")
    if "requestId" in case.body:
        request_id = "purchaseId" if "purchaseId" in case.path_parameters else "requestId"
        case.body["requestId"] = case.path_parameters[request_id] = "p"
    if "meter" in case.body:
        case.body["meter"]["meterId"] = "M1"
    response = case.call(session=session)
    assert response.status_code in (200, 201, 202, 400), response.text
    operation.validate_response(response, case=case)
