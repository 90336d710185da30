"""OpenAPI 3.1 of the read API, made of the table of its lists and of their models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from billing.console import api_models as models
from billing.console.api_resources import API, RESOURCES
from billing.console.documents import KINDS
from billing.console.problems import TITLES

VERSION = "1.0.0"
Json = Mapping[str, object]
ANSWERED = (models.Quote, models.Document, models.ProblemDetails)
ID_IN_PATH = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"


@cache
def document_of() -> Json:
    """The whole document."""
    rows = [(one.row, "serialization") for one in RESOURCES]
    others = [(one, "serialization") for one in ANSWERED]
    _, schemas = models_json_schema(
        [*rows, *others],  # type: ignore[list-item]
        ref_template="#/components/schemas/{model}",
        by_alias=True,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edgetoll read API",
            "version": VERSION,
            "description": "Reads what edgetoll counted, charged and billed. Money is text, exact;"
            " times are UTC. A list has `next`: give it as `cursor` for the page after. A token"
            " that is bound to an account sees its rows only.",
        },
        "security": [{"token": []}],
        "paths": {
            **{f"{API}{one.path}": _list(one.path, one.about, one.row, one.asked) for one in
               RESOURCES},
            f"{API}/accounts/{{account}}": _get(
                "An account.", "account", _json(_ref("ApiAccount")), ["account"]
            ),
            f"{API}/invoices/{{invoice}}": _get(
                "An invoice or credit note.", "invoice", _json(_ref("ApiInvoice")), ["invoice"]
            ),
            f"{API}/invoices/{{invoice}}/documents": _get(
                "Which documents an invoice has.", "documents", _json(_rows("Document")),
                ["invoice"],
            ),
            f"{API}/invoices/{{invoice}}/documents/{{format}}": _get(
                "A document as it was issued.",
                "document",
                {kind.partition(";")[0]: {} for kind in KINDS.values()},
                ["invoice", "format"],
            ),
            f"{API}/quote": _get(
                "What a quantity costs in a month.", "quote", _json(_ref("Quote")), [],
                models.AskedQuote,
            ),
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _list(path: str, about: str, row: type[BaseModel], asked: type[BaseModel]) -> dict[str, object]:
    inside = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    name = "list_" + path.strip("/").replace("/{invoice}/", "_")
    return _get(about, name, _json(_rows(row.__name__)), inside, asked)


def _get(
    about: str,
    name: str,
    content: Json,
    in_path: list[str],
    asked: type[BaseModel] | None = None,
) -> dict[str, object]:
    failures = [400, 401, 404, 503] if in_path or name == "quote" else [400, 401, 503]
    problem = {"application/problem+json": {"schema": _ref("ProblemDetails")}}
    return {
        "get": {
            "operationId": name,
            "summary": about,
            "parameters": [*map(_path_parameter, in_path), *(_parameters(asked) if asked else [])],
            "responses": {
                "200": {
                    "description": about,
                    "content": content,
                    "headers": {"ETag": {"schema": {"type": "string"}}},
                },
                "304": {"description": "As in the answer whose ETag was given."},
                **{str(one): {"description": TITLES[one], "content": problem} for one in failures},
            },
        }
    }


def _path_parameter(name: str) -> Json:
    schema: Json = {"type": "string", "pattern": ID_IN_PATH}
    if name == "format":
        schema = {"enum": list(KINDS)}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameters(asked: type[BaseModel]) -> list[Json]:
    schema = asked.model_json_schema()
    found: list[Json] = []
    for name, one in schema["properties"].items():
        # A parameter that is left out is none: null is no value of a query.
        kinds = [kind for kind in one.get("anyOf", [one]) if kind.get("type") != "null"]
        plain = {key: value for key, value in kinds[0].items() if key not in ("title", "default")}
        needed = name in schema.get("required", [])
        found.append({"name": name, "in": "query", "required": needed, "schema": plain})
    return found


def _rows(name: str) -> Json:
    return {
        "type": "object",
        "required": ["rows", "next"],
        "additionalProperties": False,
        "properties": {
            "rows": {"type": "array", "items": _ref(name)},
            "next": {"type": ["string", "null"], "description": "the cursor of the next page"},
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
