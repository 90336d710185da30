"""A server's own format string, as it stands in its configuration, reads that server's lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import InputError
from edge.logs.formats.shipped import find_format
from tests.edge.logs.formats.test_formats import told
from tests.edge.logs.reading import NOW_MS

AT = "30/Nov/2025:10:00:00 +0100"
AT_MS = 1_764_493_200_000
ISO = "2025-11-30T10:00:00+01:00"
A = "www.example.com"


def read(text: str, *lines: str, scheme: str = "", host: str = "") -> list[tuple[object, ...]]:
    """Per line what it is: time, host, class, status and bytes, or the reason why it is none."""
    form = find_format(log_format=text, scheme=scheme, host=host)
    parsed = form.make().parse("".join(f"{line}\n" for line in lines).encode(), NOW_MS)
    found: dict[int, tuple[object, ...]] = {
        row: event[:5] for row, event in zip(parsed.rows.tolist(), told(parsed), strict=True)
    }
    found |= {each.row: (each.reason.value,) for each in parsed.refused}
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize(
    ("text", "line", "event"),
    [
        (
            '$remote_addr [$time_local] "$request" $status $bytes_sent $host $scheme'
            " $upstream_addr",
            f'192.0.2.1 [{AT}] "GET / HTTP/3.0" 200 5 {A} https 10.0.0.1:80, 10.0.0.2:80 : [::1]:8',
            (AT_MS, A, "quic", 200, 5),
        ),
        (
            "$host:$server_port $status $bytes_sent $time_iso8601",
            f"[2001:db8::1]:443 200 5 {ISO}",
            (AT_MS, "", "https", 200, 5),
        ),
        (
            "$time_local|$host|$https|$status|$body_bytes_sent|$http_user_agent",
            f"{AT}|{A}||200|5|a|b",
            (AT_MS, A, "http", 200, 5),
        ),
        (
            r"${host}\t$status\t$bytes_sent\t$msec\t$ssl_protocol\t$http3",
            f"{A}\t200\t5\t1764493200.1\tTLSv1.3\th3",
            (AT_MS + 100, A, "quic", 200, 5),
        ),
        (
            "log_format main escape=default '$time_iso8601 $http_host '\n  '$status $bytes_sent'\n"
            "  ' $ssl_protocol $server_protocol';",
            f"{ISO} {A}:8443 304 5 - HTTP/2.0",
            (AT_MS, A, "http", 304, 5),
        ),
        (
            '{"t":"$time_iso8601","r":{"h":"$host","s":"$scheme"},"st":$status,"b":$bytes_sent}',
            f'{{"t":"{ISO}","r":{{"h":"{A}","s":"https"}},"st":200,"b":5,"ua":"a\\x22b"}}',
            (AT_MS, A, "https", 200, 5),
        ),
        (
            '{"t":"$msec","u":"$scheme://$host$request_uri","st":$status,"b":$bytes_sent}',
            f'{{"t":"1764493200.0","u":"https://{A}:8443/x","st":200,"b":5}}',
            (AT_MS, A, "https", 200, 5),
        ),
        (
            'LogFormat "%{Host}i %t %D %>s %B %{SSL_PROTOCOL}x %H \\"%r\\"" mine',
            f'{A} [{AT}] 1500000 200 7 TLSv1.3 HTTP/2.0 "GET /a\\"b HTTP/1.1"',
            (AT_MS + 1500, A, "https", 200, 7),
        ),
        (
            "[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t] %{Host}i %400,501>s %O %{HTTPS}e",
            f"[30/Nov/2025:10:00:00.123 +0100] {A} 200 5 on",
            (AT_MS + 123, A, "https", 200, 5),
        ),
        (
            '[$time_local] "$request_method $scheme://$host$request_uri" $status $bytes_sent',
            f'[{AT}] "GET https://{A}/a b" 200 5',
            (AT_MS, A, "https", 200, 5),
        ),
        (
            "%{end:usec}t %V %s %b %{REQUEST_SCHEME}e",
            f"1764493200123456 {A} 204 - http",
            (AT_MS + 123, A, "http", 204, 0),
        ),
    ],
)
def test_the_string_of_the_configuration_reads_its_lines(
    text: str, line: str, event: tuple[object, ...]
) -> None:
    assert read(text, line) == [event]


def test_an_nginx_conf_or_httpd_conf_is_asked_for_its_format_by_name(tmp_path: Path) -> None:
    nginx, apache = tmp_path / "nginx.conf", tmp_path / "httpd.conf"
    nginx.write_text(
        "http {\n  # log_format old '$uri';\n  log_format short '$msec $host $scheme '\n"
        "    '$status $bytes_sent';\n  log_format other '$uri';\n}\n"
    )
    apache.write_text('LogFormat "%t %v %>s %O" one\nCustomLog a.log one\n')
    line = f"1764493200.1 {A} https 200 5"
    assert read(f"{nginx}:short", line) == [(AT_MS + 100, A, "https", 200, 5)]
    assert read(str(apache), f"[{AT}] {A} 200 5", scheme="http") == [(AT_MS, A, "http", 200, 5)]
    with pytest.raises(InputError, match="several log formats") as many:
        read(str(nginx), line)
    assert "short, other" in str(many.value.hint)
    with pytest.raises(InputError, match="no log format called none"):
        read(f"{nginx}:none", line)


def test_what_a_string_lacks_is_said_all_at_once_and_never_guessed() -> None:
    with pytest.raises(InputError, match=r"key time: .*key bytes: "):
        find_format(log_format="$host $status")
    with pytest.raises(InputError, match="«host» runs into «scheme»"):
        find_format(log_format="$host$scheme $status $bytes_sent $msec")
    with pytest.raises(InputError, match="does not say the scheme"):
        find_format(log_format="%v:%p %t %>s %O")
    with pytest.raises(InputError, match=r"no \$variable or %directive"):
        find_format(log_format="nowhere")


def test_a_port_is_the_scheme_where_it_is_the_listeners_or_somebody_says_so() -> None:
    own = "$msec $host $server_port $status $bytes_sent"
    line = "1764493200.0 www.example.com {} 200 5"
    kinds = [row[2] if len(row) > 2 else row[0] for row in read(own, *map(line.format, PORTS))]
    assert kinds == ["https", "http", "scheme"]
    said = read("%t %v:%p %>s %O", f"[{AT}] {A}:443 200 5", f"[{AT}] {A}:80 200 5", scheme="port")
    assert [row[2] for row in said] == ["https", "http"]


PORTS = ("443", "80", "9000")


def test_a_value_that_holds_what_ends_it_is_read_if_there_is_one_reading() -> None:
    text = '$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent $host $scheme'
    rest = f'"GET / HTTP/1.1" 200 5 {A} https'
    assert read(
        text,
        f"192.0.2.1 - jane doe [{AT}] {rest}",
        f"192.0.2.1 - x [{AT}] [{AT.replace('10:', '11:')}] {rest}",
        "not a line of this log",
    ) == [
        (AT_MS, A, "https", 200, 5),
        (AT_MS + 3_600_000, A, "https", 200, 5),
        ("syntax",),
    ]


def test_a_line_that_can_be_read_in_two_ways_is_refused() -> None:
    """Neither the viewer's user name nor an agent may choose the host."""
    text = "$msec $remote_user $host $http_user_agent $status $bytes_sent"
    assert read(text, f"1764493200.0 - {A} curl 200 5", scheme="https") == [
        (AT_MS, A, "https", 200, 5)
    ]
    assert read(text, "1764493200.0 - a.example b c 200 5", scheme="https") == [("syntax",)]
