"""The served OpenAPI document (3.0.3), made from the models that check the messages."""

from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from api.channel.message.advice import (
    BasicAdvice,
    BasicAdviceResponse,
    ConfirmationAdvice,
    ReversalAdvice,
)
from api.channel.message.error import ErrorDetail
from api.channel.message.fault_report import FaultReportRequest, FaultReportResponse
from api.channel.message.key_change import (
    KeyChangeConfirmation,
    KeyChangeTokenRequest,
    KeyChangeTokenResponse,
)
from api.channel.message.lookup import MeterLookupRequest, MeterLookupResponse
from api.channel.message.purchase import PurchaseRequest, PurchaseResponse
from api.channel.message.reprint import TokenReprintRequest
from api.channel.operation import (
    BASE,
    BUY,
    CHANGE_KEY,
    CONFIRM,
    CONFIRM_KEY_CHANGE,
    LOOK_UP,
    REPORT_FAULT,
    REPRINT,
    RETRY,
    REVERSE,
    TRIAL,
    Operation,
)

Json = dict[str, Any]
_COMPONENT = "#/components/schemas/{model}"
_ERRORS = {
    400: "Refused; with FORMAT_ERROR it is said what and where",
    401: "User or password missing or wrong",
    500: "Outcome unknown",
    501: "Not offered",
    503: "Nothing was sold; no provider available",
    504: "Outcome unknown",
}
_NOT_FOUND = {404: "No such purchase or key change"}


class _WireSchema(GenerateJsonSchema):
    """Nulls are read as absent and never written, so the document does not offer them."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = super().default_schema(schema)
        if inner.get("default", ...) is None:
            del inner["default"]
        return inner

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 (the base's type)
        del schema
        return False


def _tidy(schema: Json) -> None:
    """What the interface documents and the generator cannot know: lists that are required though
    read leniently, no titles, and `enum` for the one constant (3.0 has no `const`)."""
    schema.pop("title", None)
    if "const" in schema:
        constant = schema.pop("const")
        schema.setdefault("enum", [constant])
    required = cast("list[str]", schema.get("required", []))
    for name, member in cast("dict[str, Json]", schema.get("properties", {})).items():
        if member.pop("x-required", False):
            required.append(name)
    if required:
        schema["required"] = sorted(required)
    for value in list(schema.values()):
        for inner in cast("list[object]", value if isinstance(value, list) else [value]):
            if isinstance(inner, dict):
                _tidy(cast("Json", inner))


def _schemas(models: list[type[BaseModel]]) -> Json:
    _, document = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=_COMPONENT,
        schema_generator=_WireSchema,
    )
    schemas: Json = document["$defs"]
    del schemas["JsonValue"]  # any JSON: referred to by nothing
    for schema in schemas.values():
        _tidy(schema)
    return schemas


def _content(model: type[BaseModel]) -> Json:
    reference = _COMPONENT.format(model=model.__name__)
    return {"application/json": {"schema": {"$ref": reference}}}


def _path_item(
    operation: Operation,
    request: type[BaseModel],
    status: int,
    response: type[BaseModel],
    errors: dict[int, str],
) -> Json:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    success: Json = {
        "description": "Success",
        "headers": {"Location": {"schema": {"type": "string"}}},
        "content": _content(response),
    }
    failures = {
        str(code): {"description": text, "content": _content(ErrorDetail)}
        for code, text in sorted(errors.items())
    }
    post: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "requestBody": {"required": True, "content": _content(request)},
        "responses": {str(status): success} | failures,
    }
    return {"post": post}


def document(retry_status: int, version: str) -> Json:
    """The interface of the operations offered. `version` is the switch's own."""
    known = _ERRORS
    about_a_purchase = _ERRORS | _NOT_FOUND
    rows: list[tuple[Operation, type[BaseModel], int, type[BaseModel], dict[int, str]]] = [
        (LOOK_UP, MeterLookupRequest, 201, MeterLookupResponse, known),
        (BUY, PurchaseRequest, 201, PurchaseResponse, known),
        (RETRY, PurchaseRequest, retry_status, PurchaseResponse, about_a_purchase),
        (CONFIRM, ConfirmationAdvice, 202, BasicAdviceResponse, about_a_purchase),
        (REVERSE, ReversalAdvice, 202, BasicAdviceResponse, about_a_purchase),
        (TRIAL, PurchaseRequest, 200, PurchaseResponse, known),
        (REPRINT, TokenReprintRequest, 200, PurchaseResponse, about_a_purchase),
        (REPORT_FAULT, FaultReportRequest, 201, FaultReportResponse, known),
        (CHANGE_KEY, KeyChangeTokenRequest, 201, KeyChangeTokenResponse, known),
        (CONFIRM_KEY_CHANGE, KeyChangeConfirmation, 202, BasicAdvice, about_a_purchase),
    ]
    models = {model for row in rows for model in (row[1], row[3])} | {ErrorDetail}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Prepaid utilities switch: channel interface",
            "version": version,
            "description": "Meter lookup, token purchase and what belongs to them. Amounts are in"
            " cents, times in UTC.",
        },
        "servers": [{"url": BASE}],
        "security": [{"httpBasic": []}],
        "paths": {row[0].path: _path_item(*row) for row in rows},
        "components": {
            "schemas": _schemas(sorted(models, key=lambda model: model.__name__)),
            "securitySchemes": {"httpBasic": {"type": "http", "scheme": "basic"}},
        },
    }
