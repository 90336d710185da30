"""The console as a web application: pages, questions, files, and the door before them.

Handlers are plain functions, run in threads: a query never holds up another reader's page.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from billing.analysts import library
from billing.console import access
from billing.console.access import Door, Guard, reader_of
from billing.console.api_routes import api_routes
from billing.console.building import PageBuilder, asked_page
from billing.console.documents import document
from billing.console.live import Feed, Topic
from billing.console.problems import TITLES, NotThere, problem, status_of
from billing.console.reading import LakeReader
from billing.console.rendering import STATIC, rendered
from billing.console.site.pages import SitePage
from billing.console.site.table import PAGES
from billing.lake.export import write_file
from edge.errors import EdgetollError

FORM_BYTES = 8 << 10
FOLLOWED = tuple(page for page in PAGES if any(block.every for block in page.blocks))
EXPORTS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def application(
    home: Path, *, door: Door, hosts: frozenset[str], clock: Callable[[], datetime]
) -> Starlette:
    """All of it over one home. `clock` says what this month is."""
    lake = LakeReader(home)
    site = Handlers(home, lake, PageBuilder(lake, clock), door)
    routes: list[Route | Mount] = [
        Route("/enter", site.enter, methods=["GET"]),
        Route("/enter", site.enter_with_token, methods=["POST"]),
        Route("/leave", site.leave),
        Route("/ask", site.questions),
        Route("/ask/{name}", site.question),
        Route("/invoices/{invoice}/document.{ending:path}", site.document),
        Mount("/static", StaticFiles(directory=STATIC)),
        *(Route(page.path, site.page_handler(page)) for page in PAGES),
        *(Route(f"/live{page.path}", site.live_handler(page)) for page in FOLLOWED),
        *api_routes(home, lake, clock),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, door=door, hosts=hosts)],
        exception_handlers={
            EdgetollError: site.failed,
            HTTPException: site.not_routed,
            Exception: site.broken,
        },
    )
    app.state.lake = lake
    return app


class Handlers:
    """The handlers, with what they share."""

    def __init__(self, home: Path, lake: LakeReader, builder: PageBuilder, door: Door) -> None:
        self._home = home
        self._lake = lake
        self._builder = builder
        self._door = door
        self._feed = Feed(lake, self._live_blocks)

    def page_handler(self, page: SitePage) -> Callable[[Request], Response]:
        """What answers for one page of the site."""

        def handle(request: Request) -> Response:
            return self._page(request, page, request.path_params)

        return handle

    def live_handler(self, page: SitePage) -> Callable[[Request], Awaitable[Response]]:
        """What follows one page of the site."""

        async def handle(request: Request) -> Response:
            if self._feed.is_full:
                raise HTTPException(503)
            reader = reader_of(request)
            path = tuple((name, str(value)) for name, value in request.path_params.items())
            query = tuple(sorted(request.query_params.items()))
            topic = Topic(page=page, path=path, query=query, reader=reader)
            await run_in_threadpool(self._live_blocks, topic, lambda _question, _every: False)
            events = self._feed.follow(topic, lambda: self._door.who(request.headers) == reader)
            return StreamingResponse(events, media_type="text/event-stream")

        return handle

    def _live_blocks(self, topic: Topic, is_due: Callable[[str, int], bool]) -> Mapping[str, str]:
        path, query = dict(topic.path), dict(topic.query)
        found = self._builder.live(topic.page, path, query, topic.reader, is_due)
        address = topic.page.path
        return {
            anchor: rendered("live.html.j2", one=one, path=address, values=path)
            for anchor, one in found.items()
        }

    def questions(self, request: Request) -> Response:
        """Every question of the library."""
        return _html("questions.html.j2", request, title="Questions", found=library.all_queries())

    def question(self, request: Request) -> Response:
        """A question by itself, as a page or as a file of all its rows."""
        name, dot, ending = str(request.path_params["name"]).partition(".")
        try:
            asked = library.find(name)
        except EdgetollError as error:
            raise NotThere(error.message, error.hint) from error
        if not dot:
            return self._page(request, asked_page(asked), {})
        if ending not in EXPORTS:
            raise NotThere(f"no file .{ending} of a question", "ask for .csv or .xlsx")
        values = self._builder.values_of(asked, request.query_params)
        result = self._lake.result(asked.text, values, reader_of(request).account)
        folder = Path(tempfile.mkdtemp(prefix="edgetoll-console-"))
        path = folder.joinpath(f"{name}.{ending}")
        try:
            write_file(result, ending, path)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return FileResponse(
            path,
            media_type=EXPORTS[ending],
            filename=path.name,
            background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
        )

    def document(self, request: Request) -> Response:
        """A document of an invoice, as it was issued."""
        number, ending = request.path_params["invoice"], request.path_params["ending"]
        return document(self._home, self._lake, reader_of(request), number, ending)

    def enter(self, request: Request) -> Response:
        """The one-time link, or the form for a token."""
        wanted = access.inside(request.query_params.get("next", "/"))
        key = request.query_params.get("key")
        if key is None:
            return _html("enter.html.j2", request, title="Come in", next=wanted, wrong="")
        session = self._door.enter_by_key(key)
        if session is None:
            wrong = "This link was used, or is none. Start the console again for a new one."
            return _html("enter.html.j2", request, 403, title="Come in", next=wanted, wrong=wrong)
        return access.with_session(
            RedirectResponse(wanted, 303), session, secure=request.url.scheme == "https"
        )

    async def enter_with_token(self, request: Request) -> Response:
        """A token from the form; only from our own page."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HTTPException(403)
        form = dict(parse_qsl(await _short_body(request)))
        wanted = access.inside(form.get("next", "/"))
        session = self._door.enter_by_token(form.get("token", "").strip())
        if session is None:
            wrong = "No token like that may read here."
            return _html("enter.html.j2", request, 403, title="Come in", next=wanted, wrong=wrong)
        return access.with_session(
            RedirectResponse(wanted, 303), session, secure=request.url.scheme == "https"
        )

    def leave(self, request: Request) -> Response:
        """End the session."""
        self._door.leave(access.session_of(request.headers))
        return RedirectResponse("/enter", 303)

    def _page(self, request: Request, page: SitePage, path: Mapping[str, object]) -> Response:
        words = {name: str(value) for name, value in path.items()}
        made = self._builder.built(page, words, request.query_params, reader_of(request))
        query = f"?{request.url.query}" if request.url.query else ""
        live = f"/live{request.url.path}{query}" if page in FOLLOWED else ""
        return _html("page.html.j2", request, live=live, **made)

    def failed(self, request: Request, error: Exception) -> Response:
        """An error a person can act on, as a page or a problem document."""
        assert isinstance(error, EdgetollError)
        return wrong(request, status_of(error), error.message, error.hint)

    def not_routed(self, request: Request, error: Exception) -> Response:
        """An address that is none."""
        assert isinstance(error, HTTPException)
        return wrong(request, error.status_code, "there is no page like that", "/ lists them")

    def broken(self, request: Request, error: Exception) -> Response:
        """Our own mistake: said as such, its details in the console's log."""
        return wrong(request, 500, "the console made a mistake", "its log has the details")


async def _short_body(request: Request) -> str:
    """The text of a form of ours; 413 for more than one holds."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_BYTES:
            raise HTTPException(413)
    return body.decode("utf-8", "replace")


def wrong(request: Request, status: int, what: str, hint: str) -> Response:
    """What went wrong, to a program or a person."""
    if request.url.path.startswith("/api/"):
        return problem(status, what, hint, request.url.path)
    title = TITLES.get(status, "Problem")
    return _html("problem.html.j2", request, status, title=title, what=what, hint=hint)


def _html(template: str, request: Request, status: int = 200, /, **values: object) -> Response:
    reader = getattr(request.state, "reader", None)
    shared = {"reader": reader, "pages": PAGES, "path": request.url.path, "live": ""}
    text = rendered(template, **{**shared, **values})
    return HTMLResponse(text, status)
