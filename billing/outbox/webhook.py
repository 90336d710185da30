"""Sending one webhook: pinned address, no redirects, bounded time and answer (FAULTS H5, H6)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from billing.outbox.address import Resolver, judge, resolve
from billing.outbox.signing import Key, headers
from edge.errors import InputError

TOTAL_SECONDS = 20
ANSWER_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 20 * 1000
"""FAULTS §5.2: longer messages are split before they get here."""


class AttemptResult(StrEnum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """Try again later."""
    GONE = "gone"
    """410: the receiver wants no more; the endpoint is switched off."""
    PUT_OFF = "put_off"
    """Not tried, since others just failed there: waits as long as they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt went, in a few words for the record."""

    result: AttemptResult
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A receiver with the keys that sign for it."""

    name: str
    url: str
    keys: tuple[Key, ...]
    allow_private: bool = False


async def send(
    endpoint: Endpoint,
    *,
    message_id: str,
    body: bytes,
    timestamp: int,
    resolver: Resolver = resolve,
    total_seconds: float = TOTAL_SECONDS,
) -> Attempt:
    """Send one message and say how it went; never raises for what a receiver does.

    `timestamp`: seconds since the epoch at which this attempt is made (not when the event was).
    """
    import httpx

    if len(body) > BODY_BYTES_MAX:
        return _failed(f"a body of {len(body)} bytes is above {BODY_BYTES_MAX}")
    try:
        async with asyncio.timeout(total_seconds):
            return await _send(endpoint, message_id, body, timestamp, resolver)
    except TimeoutError:
        return _failed(f"no answer within {total_seconds:g} s")
    except InputError as error:
        return _failed(error.message)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return _failed(f"{type(error).__name__}: {error}"[:200])


async def _send(
    endpoint: Endpoint, message_id: str, body: bytes, timestamp: int, resolver: Resolver
) -> Attempt:
    import httpx

    target = await asyncio.to_thread(
        judge, endpoint.url, allow_private=endpoint.allow_private, resolver=resolver
    )
    signed = headers(endpoint.keys, message_id=message_id, timestamp=timestamp, body=body)
    sent = {
        **signed,
        "host": target.host_header,
        "content-type": "application/json",
        "user-agent": "edgetoll-webhooks/1",
        "accept-encoding": "identity",
    }
    client = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TOTAL_SECONDS)
    async with (
        client,
        client.stream(
            "POST",
            target.pinned_url,
            content=body,
            headers=sent,
            extensions={"sni_hostname": target.host},
        ) as response,
    ):
        size = 0
        async for chunk in response.aiter_raw(8192):
            size += len(chunk)
            if size > ANSWER_BYTES_MAX:
                return _failed(f"{response.status_code} with an answer above 64 kB")
        return judge_status(response.status_code)


def judge_status(status: int) -> Attempt:
    """2xx is delivered, 410 is gone, all else (redirects too) is a failure to be tried again."""
    if 200 <= status < 300:
        return Attempt(result=AttemptResult.DELIVERED, answer=str(status))
    if status == 410:
        return Attempt(result=AttemptResult.GONE, answer="410 Gone")
    words = "redirect refused" if 300 <= status < 400 else "refused"
    return _failed(f"{status} {words}")


def _failed(answer: str) -> Attempt:
    return Attempt(result=AttemptResult.FAILED, answer=answer)


def unexpected(error: Exception) -> Attempt:
    """A failed attempt for an error nobody thought of: it is one message's, and shows as itself."""
    return _failed(f"unexpected {type(error).__name__}: {error}"[:200])
