"""The read API's answers: what is asked is validated, found by one statement, and written exactly.

Nothing here looks at who asks: the reader's own connection knows no other rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from billing.analysts.library import Value
from billing.console import api_models as models
from billing.console.access import reader_of
from billing.console.api_openapi import document_of
from billing.console.api_resources import API, RESOURCES, Resource
from billing.console.documents import KINDS, document
from billing.console.problems import NotThere
from billing.console.reading import LakeReader
from edge.errors import InputError

Wanted = TypeVar("Wanted", bound=BaseModel)
Answers = Callable[[Request], Response]
ACCOUNTS, INVOICES = RESOURCES[0], RESOURCES[4]
ALL = "all"


def api_routes(home: Path, lake: LakeReader, clock: Callable[[], datetime]) -> list[Route]:
    """Every address of the API. An answer that did not change since is 304."""

    def unless_known(answers: Answers) -> Answers:
        def handle(request: Request) -> Response:
            known = "\n".join(
                (lake.version(), f"{clock():%Y-%m-%d}", str(request.url), repr(reader_of(request)))
            )
            tag = f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers={"etag": tag})
            answer = answers(request)
            answer.headers["etag"] = tag
            return answer

        return handle

    found = {f"{API}{one.path}": _listed(lake, one) for one in RESOURCES}
    found[f"{API}/accounts/{{account}}"] = _one(lake, ACCOUNTS, "account")
    found[f"{API}/invoices/{{invoice}}"] = _one(lake, INVOICES, "invoice")
    found[f"{API}/invoices/{{invoice}}/documents"] = _documents(home, lake)
    found[f"{API}/invoices/{{invoice}}/documents/{{format}}"] = _document(home, lake)
    found[f"{API}/quote"] = _quote(lake)
    found[f"{API}/openapi.json"] = lambda _request: JSONResponse(document_of())
    return [Route(path, unless_known(answers)) for path, answers in found.items()]


def _asked(model: type[Wanted], request: Request) -> Wanted:
    """What a request asks for; InputError names the first parameter that is wrong."""
    pairs = request.query_params.multi_items()
    if len({name for name, _ in pairs}) < len(pairs):
        raise InputError("a parameter is given twice", "give each once")
    try:
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise InputError(f"{name}: {first['msg']}", "openapi.json says what it takes") from error


def _rows(
    lake: LakeReader, resource: Resource, values: dict[str, Value], request: Request
) -> list[dict[str, object]]:
    return lake.records(resource.statement, values, reader_of(request).account)


def _written(resource: Resource, row: dict[str, object]) -> dict[str, object]:
    known = {name: value for name, value in row.items() if name != "position"}
    return resource.row.model_validate(known).model_dump(mode="json", by_alias=True)


def _listed(lake: LakeReader, resource: Resource) -> Answers:
    def handle(request: Request) -> Response:
        asked = _asked(resource.asked, request)
        values: dict[str, Value] = {
            name: ALL if value is None else value
            for name, value in asked.model_dump(exclude={"limit", "cursor"}).items()
        }
        if resource is INVOICES:
            values["invoice"] = ALL
        if resource.inside:
            values[resource.inside] = _there(lake, request)
        values |= {"after": asked.cursor, "limit": asked.limit + 1}
        found = _rows(lake, resource, values, request)
        more = len(found) > asked.limit
        kept = found[: asked.limit]
        return JSONResponse(
            {
                "rows": [_written(resource, row) for row in kept],
                "next": kept[-1]["position"] if more else None,
            }
        )

    return handle


def _one(lake: LakeReader, resource: Resource, named: str) -> Answers:
    def handle(request: Request) -> Response:
        name = request.path_params[named]
        fields = [one for one in resource.asked.model_fields if one not in ("limit", "cursor")]
        values: dict[str, Value] = dict.fromkeys((*fields, named), ALL)
        found = _rows(lake, resource, values | {named: name, "after": "", "limit": 2}, request)
        if len(found) != 1 or name == ALL:
            raise NotThere(f"no {named} «{name}»", f"{API}{resource.path} lists them")
        return JSONResponse(_written(resource, found[0]))

    return handle


def _there(lake: LakeReader, request: Request) -> str:
    """The invoice that a path names; NotThere when this reader sees none of that number."""
    number: str = request.path_params["invoice"]
    values: dict[str, Value] = {"account": ALL, "month": ALL, "invoice": number}
    found = _rows(lake, INVOICES, values | {"after": "", "limit": 2}, request)
    if len(found) != 1 or number == ALL:
        raise NotThere(f"no invoice «{number}»", f"{API}/invoices lists them")
    return number


def _documents(home: Path, lake: LakeReader) -> Answers:
    def handle(request: Request) -> Response:
        number = _there(lake, request)
        here = f"{API}/invoices/{number}/documents"
        paths = home.joinpath("invoices").glob(f"*/{number}.*")
        endings = {path.name.removeprefix(f"{number}.") for path in paths}
        found = [
            models.Document(format=ending, href=f"{here}/{ending}")
            for ending in KINDS
            if ending in endings
        ]
        return JSONResponse({"rows": [one.model_dump() for one in found], "next": None})

    return handle


def _document(home: Path, lake: LakeReader) -> Answers:
    def handle(request: Request) -> Response:
        number, ending = request.path_params["invoice"], request.path_params["format"]
        return document(home, lake, reader_of(request), number, ending)

    return handle


def _quote(lake: LakeReader) -> Answers:
    def handle(request: Request) -> Response:
        asked = _asked(models.AskedQuote, request)
        words = {name: str(value) for name, value in asked.model_dump(exclude_none=True).items()}
        try:
            answer = lake.ask("what_a_quantity_costs", words, reader_of(request).account)
        except InputError as error:
            if "no price of" not in error.message:
                raise
            said = error.message[error.message.index("no price of") :]
            raise NotThere(said, f"{API}/prices lists what is in force") from error
        row = models.Quote.model_validate(answer.records()[0])
        return JSONResponse(row.model_dump(mode="json"))

    return handle
