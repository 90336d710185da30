"""Where a webhook may go: addresses of every kind, at load and again when it is sent (G13)."""

from __future__ import annotations

import http.server
import ipaddress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.outbox.address import check_url, judge
from billing.outbox.settings import read_delivery
from edge.errors import ConfigError, InputError
from tests.billing.outbox.test_deliver import KEY, configure, make_overdue, tell

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.2.1",
    "192.0.0.8", "192.88.99.1", "::1", "fc00::1", "fdab::1", "fec0::1", "2001:db8::1", "3fff::1",
    "5f00::1", "100::1", "2001:10::1", "4000::1",
    # An IPv4 address inside: compatible, mapped, translated, NAT64, 6to4, Teredo, ISATAP.
    "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::7f00:1", "64:ff9b:1:7f00:0:100::", "64:ff9b:1:ffff::1",
    "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:5db8:d822::80ff:fffe", "2001:0:a00:1::80ff:fffe",
    "2a00:1::5efe:127.0.0.1", "2a00:1::200:5efe:192.168.1.1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "fe80::1", "fe80::a9fe:a9fe",
    "fd00:ec2::254", "fd20:ce::254", "::", "ff02::1", "::ffff:169.254.169.254",
    "::169.254.169.254", "::ffff:0:100.100.100.200", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00:0",
    "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2001:0:5db8:d822::5601:5601",
    "fd12::5efe:169.254.169.254",
    # Other clouds, and other services beside Amazon's metadata: pod identities, names.
    "fd00:ec2::23", "fd00:ec2::253", "fd00:42::42", "fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1",
    "fd00:100::100:200",
]  # fmt: skip
PUBLIC = [
    "93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450:4001::1", "64:ff9b::8.8.8.8",
    "::ffff:93.184.216.34", "2002:808:808::1",
]  # fmt: skip


def urls_of(address: str) -> list[str]:
    """URLs that mean the address without asking anybody."""
    ip = ipaddress.ip_address(address)
    return [f"https://[{ip}]/h" if ip.version == 6 else f"https://{ip}/h"]


@pytest.mark.parametrize("address", PRIVATE)
def test_g13_private_addresses_are_refused_at_load_and_when_resolved(address: str) -> None:
    for url in urls_of(address):
        with pytest.raises(InputError, match="not a public address"):
            check_url(url, allow_private=False)
        check_url(url, allow_private=True)
    for addresses in ([address], ["93.184.216.34", address]):
        with pytest.raises(InputError, match="not a public address"):
            judge("https://x.example/", allow_private=False, resolver=lambda *_, a=addresses: a)
    judge("http://x.example/", allow_private=True, resolver=lambda *_: [address])


@pytest.mark.parametrize("address", NEVER)
def test_g13_metadata_and_what_is_no_host_is_refused_whatever_the_operator_says(
    address: str,
) -> None:
    for private in (False, True):
        for url in urls_of(address):
            with pytest.raises(InputError, match="not a public address"):
                check_url(url, allow_private=private)
        with pytest.raises(InputError, match="not a public address"):
            judge("https://x.example/", allow_private=private, resolver=lambda *_: [address])


@pytest.mark.parametrize("address", PUBLIC)
def test_g13_public_addresses_stay_open(address: str) -> None:
    for url in urls_of(address):
        check_url(url, allow_private=False)
    judge("https://x.example/", allow_private=False, resolver=lambda *_: [address])


@given(st.integers(0, 2**32 - 1))
def test_g13_an_ipv6_address_is_as_public_as_the_ipv4_address_inside_it(number: int) -> None:
    inner = ipaddress.IPv4Address(number)

    def is_open(host: str) -> bool:
        try:
            check_url(f"https://{host}/", allow_private=False)
        except InputError:
            return False
        return True

    for carrier in (0xFFFF << 32, 0x64_FF9B << 96):
        assert is_open(f"[{ipaddress.IPv6Address(carrier | number)}]") == is_open(str(inner))
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (number << 80))
    assert is_open(f"[{six_to_four}]") == is_open(str(inner))
    assert not is_open(f"[{ipaddress.IPv6Address(number)}]"), "an IPv4-compatible one never is"


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/",
        "https://0177.0.0.1/", "https://127.0.0.0x1/", "https://10.0.0.1.1/", "https://a.0x/",
        "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://127.0.0.1./",
    ],
)  # fmt: skip
def test_g13_an_address_in_disguise_is_refused_at_load(url: str) -> None:
    with pytest.raises(InputError):
        check_url(url, allow_private=False)


@pytest.mark.parametrize(
    "url", ["http://2852039166/", "http://0xa9fea9fe/", "http://169.254.43518/"]
)
def test_g13_metadata_in_disguise_is_refused_in_ones_own_network_too(url: str) -> None:
    with pytest.raises(InputError, match="a number and no name"):
        check_url(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example:0/", "https://x.example:65536/", "https://x.example:99999999999/",
        "https://x.example:-1/", "https://x.example:ssh/", "https://x.example:4 43/",
        "https://x.exa\nmple/", "https://x.example/a b", "https://x.example\\@127.0.0.1/",
        "https://127.0.0.1#@x.example/", "https://x.example@127.0.0.1/", "https://@x.example/",
        "https://[::1/", "https://[x.example]/", "https://[v1.a]/", "https://１２７.0.0.1/",
        "https://x..example/", "https://-x.example/", "https://x.example%00/", "https:///x",
        "//x.example/", "file:///etc/passwd", "gopher://x.example/", "",
    ],
)  # fmt: skip
def test_g13_bad_ports_and_urls_that_two_readers_read_differently_are_refused_at_load(
    url: str,
) -> None:
    with pytest.raises(InputError):
        check_url(url, allow_private=False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://[64:ff9b:1::7f00:1]/secret-token", "not a public address"),
        ("https://169.254.169.254/secret-token", "not a public address"),
        ("https://x.example:70000/secret-token", "no port from 1 to 65535"),
        ("https://2130706433/secret-token", "a number and no name"),
    ],
)
def test_g13_settings_with_such_a_url_are_refused_with_the_key_and_without_its_token(
    tmp_path: Path, url: str, words: str
) -> None:
    (tmp_path / "edgetoll.toml").write_text(
        f'[[billing.delivery.webhooks]]\nname = "crm"\nurl = "{url}"\nkey_files = ["k"]\n'
    )
    with pytest.raises(ConfigError, match=words) as caught:
        read_delivery(tmp_path)
    said = f"{caught.value.message} {caught.value.hint}"
    assert "billing.delivery" in said
    assert "secret-token" not in said


def test_g13_a_redirect_to_ones_own_network_is_not_followed(world: Any, receiver: Any) -> None:
    with receiver() as inner:

        def elsewhere(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(308)
            handler.send_header("location", inner.url)
            handler.send_header("content-length", "0")
            handler.end_headers()

        with receiver(elsewhere) as outer:
            configure(world.home, hook=outer.url)
            make_overdue(world)
            tell(world)
        assert len(outer.got) == 1
        assert inner.got == []
    answers = world.store.connection.execute("SELECT answer FROM deliveries").fetchall()
    assert ("308 redirect refused",) in answers


def test_g13_a_name_that_moves_into_ones_own_network_is_refused_when_it_is_called(
    world: Any, receiver: Any
) -> None:
    """DNS rebinding: public while the settings were read, then not; nothing is sent."""
    with receiver() as it:
        (world.home / "crm.key").write_text(KEY)
        (world.home / "crm.key").chmod(0o600)
        (world.home / "edgetoll.toml").write_text(
            '[billing]\n[[billing.delivery.webhooks]]\nname = "crm"\n'
            f'url = "https://hook.example:{it.port}/"\nkey_files = ["crm.key"]\n'
        )
        make_overdue(world)
        tell(world, resolver=lambda _host, _port: ["127.0.0.1"])
        assert it.got == []
    (answer,) = world.store.connection.execute(
        "SELECT answer FROM deliveries WHERE endpoint = 'webhook:crm'"
    ).fetchone()
    assert answer == "hook.example is at 127.0.0.1, which is not a public address"
