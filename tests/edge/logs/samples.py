"""Small logs written by hand after each format's documentation, with the events they stand for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A log and its truth: per event (time_ms, domain, class, status, bytes, cache); refusals."""

    format: str
    text: str
    events: tuple[tuple[int, str, str, int, int, str | None], ...]
    refused: tuple[str, ...] = ()


NGINX = Sample(
    format="nginx",
    text=(
        '{"time":"1700000000.123","host":"WWW.Example.com.:443","scheme":"https",'
        '"protocol":"HTTP/2.0","status":"200","bytes_sent":"512","cache":"HIT","id":"a"}\n'
        '{"time":"1700000000.999","host":"bücher.example","scheme":"http","protocol":"HTTP/1.1",'
        '"status":"009","bytes_sent":"0","cache":"","id":"b"}\n'
        '{"time":"1700000001.000","host":"www.example.com","scheme":"https",'
        '"protocol":"HTTP/3.0","status":"000","bytes_sent":"7","cache":"MISS","id":"c"}\n'
        '{"time":1700000002.5,"host":"a.example","scheme":"http","protocol":"HTTP/1.0",'
        '"status":499,"bytes_sent":1125899906842624,"cache":null,"id":null}\n'
        '{"time":"2023-11-14T22:13:23.25+00:00","host":"","scheme":"https","protocol":"HTTP/1.1",'
        '"status":"400","bytes_sent":"1","cache":"-","id":"e"}\n'
    ),
    events=(
        (1700000000123, "www.example.com", "https", 200, 512, "hit"),
        (1700000000999, "xn--bcher-kva.example", "http", 9, 0, None),
        (1700000001000, "www.example.com", "quic", 0, 7, "miss"),
        (1700000002500, "a.example", "http", 499, 1 << 50, None),
        (1700000003250, "", "https", 400, 1, None),
    ),
)

NGINX_TSV = Sample(
    format="nginx-tsv",
    text=(
        "1700000000.123\twww.example.com\thttps\tHTTP/2.0\t200\t512\tHIT\tid1\n"
        "1700000000.124\tb\\xC3\\xBCcher.example\thttp\tHTTP/1.1\t009\t0\t-\tid2\n"
        "1700000000.125\ttab\\x09inside\thttps\tHTTP/3.0\t304\t180\tREVALIDATED\tid3\n"
        "2023-11-14T22:13:21Z\ta.example\thttps\tHTTP/1.1\t206\t9\tBYPASS\tid4\n"
    ),
    events=(
        (1700000000123, "www.example.com", "https", 200, 512, "hit"),
        (1700000000124, "xn--bcher-kva.example", "http", 9, 0, None),
        (1700000000125, "", "quic", 304, 180, "hit"),
        (1700000001000, "a.example", "https", 206, 9, "miss"),
    ),
)

CLOUDFRONT = Sample(
    format="cloudfront",
    text=(
        "#Version: 1.0\n"
        "#Fields: date time sc-bytes cs(Host) sc-status x-host-header cs-protocol "
        "cs-protocol-version x-edge-result-type\n"
        "2023-11-14\t22:13:20\t392\td1.cloudfront.net\t200\twww.example.com\thttps\tHTTP/2.0\tHit\n"
        "2023-11-14\t22:13:21\t0\td1.cloudfront.net\t000\tb%C3%BCcher.example\thttp\tHTTP/1.1"
        "\tError\n"
        "#Fields: date time cs-protocol cs(Host) sc-status sc-bytes\n"
        "2023-11-14\t22:13:22\twss\td2.cloudfront.net\t101\t55\n"
        "2023-11-14\t22:13:22\twss\td2.cloudfront.net\t101\n"
    ),
    events=(
        (1700000000000, "www.example.com", "https", 200, 392, "hit"),
        (1700000001000, "xn--bcher-kva.example", "http", 0, 0, None),
        (1700000002000, "d2.cloudfront.net", "https", 101, 55, None),
    ),
    refused=("schema",),
)

ELB = Sample(
    format="elb",
    text=(
        "2023-11-14T22:13:20.123456Z lb 192.0.2.1:1 10.0.0.1:80 0.1 0.2 0.3 200 200 0 29 "
        '"GET https://www.example.com:443/a%20b HTTP/1.1" "curl \\"x\\"" ECDHE TLSv1.2\n'
        "2023-11-14T22:13:21.000000Z lb 192.0.2.1:1 - -1 -1 -1 408 0 0 0 "
        '"- http://www.example.com:80- -" "-" - -\n'
        '2023-11-14T22:13:22.000000Z lb 192.0.2.1:1 10.0.0.1:22 0 0 0 - - 5 9 "- - - " "-" - -\n'
    ),
    events=(
        (1700000000123, "www.example.com", "https", 200, 29, None),
        (1700000001000, "www.example.com", "http", 408, 0, None),
    ),
    refused=("not_http",),
)

_ALB_END = (
    '"curl" - - arn:x "Root=1" "-" "-" 1 2023-11-14T22:13:20Z "forward" "-" "-" "-" "-" "-" "-"'
)

ALB = Sample(
    format="alb",
    text=(
        "h2 2023-11-14T22:13:20.123456Z app/lb/1 192.0.2.1:1 10.0.0.1:80 0 0.1 0 200 200 5 257 "
        f'"GET https://www.example.com:443/ HTTP/2.0" {_ALB_END}\n'
        "http 2023-11-14T22:13:21.000000Z app/lb/1 192.0.2.1:1 10.0.0.1:80 0 0 0 301 - 5 9 "
        f'"GET http://a.example:80/ HTTP/1.1" {_ALB_END}\n'
        "wss 2023-11-14T22:13:22.000000Z app/lb/1 192.0.2.1:1 10.0.0.1:80 0 0 0 - - 5 0 "
        f'"GET https://a.example:443/ HTTP/1.1" {_ALB_END}\n'
    ),
    events=(
        (1700000000123, "www.example.com", "https", 200, 257, None),
        (1700000001000, "a.example", "http", 301, 9, None),
        (1700000002000, "a.example", "https", 0, 0, None),
    ),
)

FASTLY = Sample(
    format="fastly",
    text=(
        '<134>2023-11-14T22:13:20Z cache-1 logs[3]: {"bytes":11,"date_time":'
        '"2023-11-14T22:13:20.460557177Z","method":"GET","status":200,'
        '"url":"https://user@www.example.com:443/a?b"}\n'
        "<134>2023-11-14T22:13:20Z cache-1 logs[3]: no JSON here\n"
        '{"bytes":12,"date_time":"2023-11-14T22:13:21Z","status":404,"url":"http://a.example"}\n'
    ),
    events=(
        (1700000000460, "www.example.com", "https", 200, 11, None),
        (1700000001000, "a.example", "http", 404, 12, None),
    ),
    refused=("syntax",),
)

CADDY = Sample(
    format="caddy",
    text=(
        '{"level":"info","ts":1700000000.7564995,"logger":"http.log.access.log0","request":{"proto":'
        '"HTTP/3.0","host":"www.example.com","tls":{"version":772}},"size":5,"status":200}\n'
        "\n"
        '{"level":"debug","ts":1700000000.8,"logger":"http.handlers.reverse_proxy","msg":"up"}\n'
        '{"level":"info","ts":1700000001.9999998,"logger":"http.log.access","request":{"proto":'
        '"HTTP/1.1","host":"a.example:8080"},"size":6,"status":0}\n'
    ),
    events=(
        (1700000000756, "www.example.com", "quic", 200, 5, None),
        (1700000001999, "a.example", "http", 0, 6, None),
    ),
    refused=("not_access",),
)

TRAEFIK = Sample(
    format="traefik",
    text=(
        '{"StartUTC":"2023-11-14T22:13:19.999999999Z","Duration":1000001,"RequestHost":'
        '"www.example.com","RequestScheme":"https","RequestProtocol":"HTTP/2.0",'
        '"DownstreamStatus":200,"DownstreamContentSize":77}\n'
        '{"StartUTC":"2016-12-31T23:59:60Z","Duration":0,"RequestHost":"a.example",'
        '"RequestScheme":"http","RequestProtocol":"HTTP/1.1","DownstreamStatus":502,'
        '"DownstreamContentSize":0}\n'
    ),
    events=(
        (1700000000000, "www.example.com", "https", 200, 77, None),
        (1483228799999, "a.example", "http", 502, 0, None),
    ),
)

SAMPLES = (NGINX, NGINX_TSV, CLOUDFRONT, ELB, ALB, FASTLY, CADDY, TRAEFIK)
