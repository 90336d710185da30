"""Lines as servers really write them (forms found in public logs; names are made up): each is the
event that a careful person reads, or is refused for what is wrong with it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.logs.formats.shipped import find_format
from edge.logs.guessing import guess
from tests.edge.logs.formats.test_formats import told
from tests.edge.logs.reading import NOW_MS, import_files, spool_content

Read = tuple[str, str, int, int] | str
A_HOST = {"host": "www.example.com", "scheme": "http"}
HAPROXY = "192.0.2.1:333 [06/Feb/2026:12:14:14.655] web~ b/s1 10/0/30/69/109 "
S3 = "79a5 b [06/Feb/2026:00:00:38 +0000] 192.0.2.3 79a5 3E57 "
IIS = (
    "#Fields:   date time s-port c-ip cs(User-Agent) cs(Referer) cs(Host) sc-status sc-bytes\n"
    "2026-02-06 "
)
CADDY = (
    '{"ts":%s,"logger":"http.log.access","request":{"proto":"HTTP/3.0","host":"a.example",'
    '"tls":{"proto":"h3"}},"size":36,"status":200}'
)
LINES: list[tuple[str, dict[str, str], str, Read]] = [
    (
        "alb",
        {},
        "http 2026-05-01T11:24:32.7Z app/a/1 192.0.2.1:57273 - -1 -1 -1 200 - 0 272"
        ' "- http://in.example.com:80-/ " "-" - - - "-" "-" "-" - 2026-05-01T11:24:32.7Z "-"',
        ("in.example.com", "http", 200, 272),
    ),
    (
        "alb",
        {},
        "tls 2.0 2026-04-01T08:51:42 net/a/1 g3 192.0.2.1:2817 10.0.0.1:80 5 2 98 246 - arn - E"
        ' tlsv12 - a.example h2 h2 "h2","http/1.1" 2026-04-01T08:51:20',
        "syntax",  # of a network load balancer
    ),
    (
        "elb",
        {},
        "2026-02-15T23:39:43.9Z lb 192.0.2.1:2817 10.0.0.1:80 0.1 0.1 0.1 200 200 0 29"
        ' "GET http://www.example.com:80/ HTTP/1.1"',
        ("www.example.com", "http", 200, 29),
    ),
    ("s3", {}, S3 + 'REST.GET.ACL - "GET /?acl HTTP/1.1" 200 - 5 5 1 9 "-" "x"', "schema"),
    (
        "s3",
        A_HOST,
        S3 + 'REST.GET.ACL - "GET /?acl HTTP/1.1" 200 - 5 5 1 9 "-" "x"',
        ("www.example.com", "http", 200, 5),
    ),
    (
        "s3",
        {},
        S3 + 'REST.COPY.OBJECT c "PUT /c HTTP/1.1" 200 - 234 9 7 2 "-" "-" - s9= SigV4 E AuthHeader'
        " b.s3.amazonaws.com TLSV1.2 - Yes us-east-1",
        ("b.s3.amazonaws.com", "https", 200, 234),
    ),
    (
        "s3",
        {},
        S3
        + "REST.COPY.OBJECT_GET a - 200 - - 9 - - - - - s9= SigV4 E AuthHeader b.example TLSv1.2",
        "not_access",
    ),
    (
        "haproxy",
        {},
        HAPROXY + '503 213 - - SC-- 1/1/0/0/0 0/0 {localhost:8888||} {|} "GET /foo HTTP/1.1"',
        ("localhost", "https", 503, 213),
    ),
    (
        "haproxy",
        {},
        HAPROXY + '405 501 - - ---- 1/1/0/1/0 0/0 "CONNECT a.example:8080 HTTP/1.1"',
        ("a.example", "https", 405, 501),
    ),
    (
        "haproxy",
        {"host": "www.example.com"},
        HAPROXY + '200 1015 - - --VR 8/8/0/0/0 0/0 "GET /' + "s" * 900,  # cut at 1,024 bytes
        ("www.example.com", "https", 200, 1015),
    ),
    ("haproxy", {}, HAPROXY + '400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"', "not_http"),
    (
        "iis",
        {},
        IIS + '17:00:00.363 443 "192.0.2.0" "Mozilla/5.0 (X; Y)" - "a.example" 200 77',
        ("a.example", "https", 200, 77),
    ),
    (
        "iis",
        {},
        IIS + '17:00:00 443 192.0.2.0 "Mozilla/5.0 (X; Y)" "a.example" 200 77',
        "schema",  # one value less, though as many blanks as there should be
    ),
    (
        "squid",
        {},
        "1772359330.556      3 192.0.2.1 TCP_REFRESH_MISS/200 2014 GET http://a.example/x user"
        " DIRECT/a.example text/plain 902351708.872",
        ("a.example", "http", 200, 2014),
    ),
    (
        "squid",
        {},
        "1772359922.391    104 192.0.2.1 58938 TCP_MISS/200 904 123 364 123 528 GET http://a/ 1.1 u"
        ' HIER_DIRECT/203.0.113.10 80 text/html - - "-"',
        "syntax",  # a format of one's own
    ),
    (
        "envoy-json",
        {},
        '{"authority":"-","bytes_sent":11,"duration":46,"method":"-","protocol":"HTTP/1.1",'
        '"requested_server_name":"-","response_code":400,"start_time":"2026-09-01T09:36:33.5Z"}',
        "not_http",
    ),
    (
        "traefik",
        {"scheme": "http"},
        '{"DownstreamContentSize":19,"DownstreamStatus":404,"Duration":486767,"RequestHost":'
        '"a.example","RequestProtocol":"HTTP/1.1","StartLocal":"2026-02-02T17:07:08.048+01:00"}',
        ("a.example", "http", 404, 19),
    ),
    *(
        ("caddy", {}, CADDY % ts, ("a.example", "quic", 200, 36))
        for ts in ('"2026-02-23T23:17:54.815+0100"', '"2026-02-23T23:17:54Z"', "1771888674815.56")
    ),
    ("caddy", {}, CADDY % '"2026/02/23 23:17:54"', "clock"),
    (
        "vhost-combined",
        {"scheme": "port"},
        'a.example:80 192.0.2.1 - - [06/Feb/2026:14:39:13 -0500] "-" 408 0 "-" "-"',
        "not_http",
    ),
    ("combined", A_HOST, '192.0.2.1 - - [06/Feb/2026:14:39:13 -0500] "" 400 0 "-" "-"', "not_http"),
    (
        "common",
        A_HOST,
        '192.0.2.1 - - [06/Feb/2026:00:48:46 +0100] "HEAD / HTTP/1.0" 403 -',
        ("www.example.com", "http", 403, 0),
    ),
    (
        "combined",
        A_HOST,
        '192.0.2.1, 10.0.0.1 - a b [06/Feb/2026:14:39:13 -0500] "GET / HTTP/1.1" 200 5 "-" "-"',
        ("www.example.com", "http", 200, 5),
    ),
    (
        "qiniu",
        {},
        '192.0.2.1 HIT 10 [19/Apr/2026:00:00:00 +0800] "GET http://a.example/f.jpg?imageMogr2/format'
        '/png/thumbnail/480x%320E/quality/80! HTTP/1.1" 200 5136 "-" "Dalvik/1.6.0 (Linux; U)"',
        ("a.example", "http", 200, 5136),
    ),
]


@pytest.mark.parametrize(("form", "said", "line", "wanted"), LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_line_is_what_a_careful_person_reads(
    form: str, said: dict[str, str], line: str, wanted: Read, end: str
) -> None:
    parsed = find_format(form, **said).make().parse((line + end).encode(), NOW_MS)
    events = [(host, kind, status, size) for _, host, kind, status, size, _ in told(parsed)]
    refused = [each.reason.value for each in parsed.refused]
    assert (events, refused) == (([], [wanted]) if isinstance(wanted, str) else ([wanted], []))


def test_auto_tells_iis_with_columns_of_cloudfronts_names_from_cloudfront() -> None:
    lines = IIS + '17:00:00.363 443 192.0.2.0 "Mozilla/5.0 (X; Y)" - "a.example" 200 77\n'
    assert guess(lines.encode(), NOW_MS).name == "iis"


def test_a_last_line_without_an_end_that_is_no_request_is_refused_as_that(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(HAPROXY + '400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"')
    found = import_files(tmp_path / "spool", log, form="haproxy")
    assert (found.lines, dict(found.skipped)) == (1, {"not_http": 1})
    log.write_text(log.read_text() + "\n" + HAPROXY + '200 7 - - ---- 1/1/0/0/0 0/0 {a.b} "GET / ')
    again = import_files(tmp_path / "spool", log, form="haproxy")
    assert (again.events, again.problems) == (1, [])
    assert spool_content(tmp_path / "spool").bytes_sent == 7
