"""A receiver of edgetoll's webhooks that checks what it must before it believes anything.

It verifies the signature (HMAC `v1` or Ed25519 `v1a`), refuses old timestamps (a replay), forgets
repeats by id, and keeps the highest version per account (messages may arrive in any order).

    EDGETOLL_WEBHOOK_KEY=whsec_… python examples/webhook_receiver.py 8000
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 20_000
IDS_KEPT = 100_000


class Refused(Exception):
    """The message is not believed; the text says why."""


def verify(headers: Mapping[str, str], body: bytes, *, keys: list[str], now: float) -> str:
    """The message's id, if one of `keys` (whsec_… or whpk_…) signed it at most 5 minutes ago."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        message_id = lower["webhook-id"]
        timestamp = int(lower["webhook-timestamp"])
        signatures = lower["webhook-signature"].split(" ")
    except (KeyError, ValueError) as error:
        raise Refused("a header is missing or malformed") from error
    if abs(now - timestamp) > TOLERANCE_SECONDS:
        raise Refused("the timestamp is too old or too new")
    content = f"{message_id}.{timestamp}.".encode() + body
    if not any(_signed_by(key, part, content) for key in keys for part in signatures):
        raise Refused("no signature is by a known key")
    return message_id


def _signed_by(key: str, part: str, content: bytes) -> bool:
    scheme, _, encoded = part.partition(",")
    prefix, _, secret = key.partition("_")
    try:
        signature, raw = base64.b64decode(encoded), base64.b64decode(secret)
        if (prefix, scheme) == ("whsec", "v1"):
            made = hmac.new(raw, content, hashlib.sha256).digest()
            return hmac.compare_digest(made, signature)
        if (prefix, scheme) == ("whpk", "v1a"):
            Ed25519PublicKey.from_public_bytes(raw).verify(signature, content)
            return True
    except (ValueError, InvalidSignature):
        return False
    return False


@dataclass
class Accounts:
    """What the receiver knows: per account the state with the highest version."""

    states: dict[str, tuple[int, str]] = field(default_factory=dict)
    seen: dict[str, None] = field(default_factory=dict)

    def take(self, message_id: str, document: dict[str, Any]) -> bool:
        """Take a verified message in; False when it is a repeat."""
        if message_id in self.seen:
            return False
        self.seen[message_id] = None
        if len(self.seen) > IDS_KEPT:
            del self.seen[next(iter(self.seen))]
        data = document["data"]
        if document["type"] == "accounts.full_state":
            # Whatever was missed is made good once a day. Accounts no page names are ok.
            for one in data["accounts"]:
                self._keep(one["account_id"], one["version"], one["state"])
        elif document["type"].startswith("account."):
            self._keep(data["account_id"], data["version"], data["state"])
        return True

    def _keep(self, account_id: str, version: int, state: str) -> None:
        known = self.states.get(account_id)
        if known is None or version > known[0]:
            self.states[account_id] = (version, state)


def serve(port: int, keys: list[str]) -> None:
    """Listen on 127.0.0.1 and print each change of an account."""
    accounts = Accounts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            if size > BODY_BYTES_MAX:
                self.send_error(413)
                return
            body = self.rfile.read(size)
            try:
                message_id = verify(dict(self.headers), body, keys=keys, now=time.time())
            except Refused as why:
                self.send_error(401, str(why))
                return
            document = json.loads(body)
            if accounts.take(message_id, document):
                print(document["type"], json.dumps(document["data"]), flush=True)
            self.send_response(204)
            self.end_headers()

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), os.environ["EDGETOLL_WEBHOOK_KEY"].split())
