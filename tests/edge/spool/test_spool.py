"""The spool without faults: what is appended is read, once, in order, and its state survives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.batch.codec import decode_counters, decode_header
from edge.batch.packing import pack
from edge.batch.records import EVENTS_MAX, SourcePosition, totals
from edge.errors import Busy, ConflictError, InputError
from edge.spool.segment import (
    SpoolPosition,
    acknowledge,
    end_position,
    read_acknowledged,
    read_frames,
    segments,
    spool_folders,
)
from edge.spool.spool import SpoolOptions
from tests.edge.samples import NOON_MS, THOROUGH, columns, open_spool, rows, spooled, spooled_rows

HOUR_MS = 3_600_000


def at(source: str, offset: int) -> SourcePosition:
    """How far a source has been read."""
    return SourcePosition(source=source, offset=offset)


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        identities = [spool.append(columns(n + 1, seed=n), NOON_MS) for n in range(5)]
    epoch = identities[0][0]
    assert identities == [(epoch, sequence) for sequence in range(5)]
    assert spooled(tmp_path) == [(epoch, sequence, sequence + 1) for sequence in range(5)]


def test_every_event_comes_out_as_it_went_in(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.append(columns(3000, seed=1), NOON_MS)
        spool.append(columns(2000, seed=2), NOON_MS)
    assert spooled_rows(tmp_path) == sorted(
        rows(columns(3000, seed=1)) + rows(columns(2000, seed=2))
    )


def test_columns_beyond_one_batch_become_several_of_which_the_last_moves_the_source(
    tmp_path: Path,
) -> None:
    events = columns(2 * EVENTS_MAX + 10)
    with open_spool(tmp_path) as spool:
        _, last = spool.append(events, NOON_MS, (at("a", 9),))
    headers = [decode_header(frame.payload) for frame in read_frames(tmp_path, max_bytes=1 << 30)]
    assert last == len(headers) - 1
    assert sum(header.events for header in headers) == len(events)
    assert [len(header.sources) for header in headers] == [0] * last + [1]
    assert [header.watermark_ms for header in headers] == [0] * last + [NOON_MS]
    assert spooled_rows(tmp_path) == rows(events)


def test_columns_beyond_the_wire_become_several(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    ids = [random.bytes(40).hex() for _ in range(30_000)]
    events = columns(30_000, event_ids=ids)
    with open_spool(tmp_path) as spool:
        spool.append(events, NOON_MS)
    assert len(spooled(tmp_path)) > 1
    assert spooled_rows(tmp_path) == rows(events)


def test_what_is_written_is_not_read_before_it_is_durable(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.append(columns(1), NOON_MS)
        spool.write(columns(2), NOON_MS)
        spool.write(columns(3), NOON_MS)
        assert [events for _, _, events in spooled(tmp_path)] == [1]
        spool.commit()
        assert [events for _, _, events in spooled(tmp_path)] == [1, 2, 3]


def test_nothing_beyond_the_published_end_is_read_even_in_later_segments(tmp_path: Path) -> None:
    with open_spool(tmp_path, options=SpoolOptions(segment_bytes=900, reserve_bytes=0)) as spool:
        spool.append(columns(1), NOON_MS)
        published = (tmp_path / "durable").read_bytes()
        for _ in range(4):
            spool.append(columns(3), NOON_MS)
    assert len(segments(tmp_path)) > 3
    (tmp_path / "durable").write_bytes(published)
    assert [events for _, _, events in spooled(tmp_path)] == [1]


def test_a_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    position = None
    seen: list[int] = []
    with open_spool(tmp_path, options=SpoolOptions(segment_bytes=2000)) as spool:
        for count in range(1, 30):
            spool.append(columns(count), NOON_MS)
            if count % 3 == 0:
                for frame in read_frames(tmp_path, position, max_bytes=1):
                    position = SpoolPosition.from_text(frame.position_after.to_text())
                    seen.append(decode_header(frame.payload).events)
    for frame in read_frames(tmp_path, position, max_bytes=1 << 30):
        position = frame.position_after
        seen.append(decode_header(frame.payload).events)
    assert seen == [*range(1, 30)]
    assert list(read_frames(tmp_path, position)) == []
    assert len(segments(tmp_path)) > 3


def test_an_epoch_and_all_positions_survive_restarts(tmp_path: Path) -> None:
    options = SpoolOptions(segment_bytes=3000)
    for turn in range(12):
        with open_spool(tmp_path, seed=turn, options=options) as spool:
            expected = {f"s{n}": at(f"s{n}", n + 1) for n in range(turn)}
            assert spool.positions() == expected
            assert spool.status().watermark_ms == (NOON_MS + turn - 1 if turn else 0)
            spool.append(columns(20, seed=turn), NOON_MS + turn, (at(f"s{turn}", turn + 1),))
    batches = spooled(tmp_path)
    assert len({epoch for epoch, _, _ in batches}) == 1
    assert [sequence for _, sequence, _ in batches] == [*range(12)]


def test_a_heartbeat_moves_the_watermark_and_takes_a_number(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        assert spool.heartbeat(NOON_MS)[1] == 0
        assert spool.append(columns(1), NOON_MS + 1)[1] == 1
    headers = [decode_header(frame.payload) for frame in read_frames(tmp_path)]
    assert [(header.kind, header.watermark_ms) for header in headers] == [
        ("heartbeat", NOON_MS),
        ("events", NOON_MS + 1),
    ]


def test_a11_a_watermark_is_never_taken_back_and_events_keep_their_times(tmp_path: Path) -> None:
    """A clock that steps back an hour changes neither the order of batches nor an event's time."""
    with open_spool(tmp_path) as spool:
        spool.append(columns(1), NOON_MS)
        back = columns(1, time_ms=np.array([NOON_MS - HOUR_MS]))
        spool.append(back, NOON_MS - HOUR_MS)
    headers = [decode_header(frame.payload) for frame in read_frames(tmp_path)]
    assert [header.watermark_ms for header in headers] == [NOON_MS, NOON_MS]
    assert [header.sequence for header in headers] == [0, 1]
    assert headers[1].first_time_ms == NOON_MS - HOUR_MS


def test_counters_are_batches_of_their_own_kind(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.append(totals(pack(columns(100))), NOON_MS)
    (frame,) = read_frames(tmp_path)
    header = decode_header(frame.payload)
    assert int(decode_counters(header, frame.payload).requests.sum()) == 100


def test_a_new_epoch_names_the_one_before_and_its_last_sequence(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        first, _ = spool.append(columns(1), NOON_MS)
        spool.append(columns(1), NOON_MS)
        second = spool.begin_epoch(12345)
        assert spool.append(columns(1), NOON_MS, (at("a", 1),)) == (second, 0)
    with open_spool(tmp_path) as spool:
        assert spool.append(columns(1), NOON_MS) == (second, 1)
        assert spool.positions() == {"a": at("a", 1)}
    headers = [decode_header(frame.payload) for frame in read_frames(tmp_path)]
    assert [header.previous_epoch for header in headers] == [None, None, (first, 1), None]


def test_a_second_writer_is_told_who_holds_the_spool(tmp_path: Path) -> None:
    with open_spool(tmp_path), pytest.raises(Busy) as busy:
        open_spool(tmp_path)
    assert "fra-1" in busy.value.message
    open_spool(tmp_path).close()


def test_a_spool_of_another_edge_is_refused(tmp_path: Path) -> None:
    from edge.spool.spool import Spool

    open_spool(tmp_path).close()
    with pytest.raises(ConflictError):
        Spool.open(tmp_path, "other", "DE", random64=lambda: 1)
    open_spool(tmp_path).close()


def test_a_bad_name_is_refused_and_spoils_nothing(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        with pytest.raises(InputError):
            spool.append(columns(3, status=np.array([1, 2, 1000], dtype=np.uint16)), NOON_MS)
        assert spool.append(columns(3), NOON_MS)[1] == 0


def test_spool_folders_are_found_by_their_epoch(tmp_path: Path) -> None:
    (tmp_path / "spool" / "stray").mkdir(parents=True)
    for name in ("b", "a"):
        open_spool(tmp_path / "spool" / name).close()
    assert [path.name for path in spool_folders(tmp_path)] == ["a", "b"]
    assert spool_folders(tmp_path / "nowhere") == []


def test_a_position_is_text_and_back_and_nonsense_is_refused() -> None:
    position = SpoolPosition(segment="0" * 19 + "7", offset=4096)
    assert SpoolPosition.from_text(position.to_text()) == position
    for text in (
        "",
        "7:1",
        "0" * 20,
        "0" * 20 + ":",
        "0" * 20 + ":-1",
        "0" * 20 + ":x",
        "٣" * 20 + ":1",
    ):
        with pytest.raises(InputError):
            SpoolPosition.from_text(text)


def test_a7_only_what_was_acknowledged_72_hours_ago_is_deleted(tmp_path: Path) -> None:
    options = SpoolOptions(segment_bytes=1000)
    with open_spool(tmp_path, options=options) as spool:
        for count in range(6):
            epoch, sequence = spool.append(
                columns(50), NOON_MS, (at("quiet", 1),) if not count else ()
            )
        assert spool.retention(NOON_MS) == []
        frames = list(read_frames(tmp_path))
        acknowledge(tmp_path, epoch, 3, frames[3].position_after)
        assert spool.retention(NOON_MS) == []
        assert spool.retention(NOON_MS + 72 * HOUR_MS - 1) == []
        gone = spool.retention(NOON_MS + 72 * HOUR_MS)
        assert gone == [frame.position.segment for frame in frames[:3]]
        left = [decode_header(frame.payload).sequence for frame in read_frames(tmp_path)]
        assert left == [3, 4, 5]
    with open_spool(tmp_path) as spool:
        assert spool.positions() == {"quiet": at("quiet", 1)}
        assert spool.append(columns(1), NOON_MS) == (epoch, sequence + 1)


def test_a7_a_reader_whose_segment_is_gone_goes_on_with_the_next(tmp_path: Path) -> None:
    with open_spool(tmp_path, options=SpoolOptions(segment_bytes=1000)) as spool:
        for _ in range(4):
            spool.append(columns(50), NOON_MS)
    first = next(read_frames(tmp_path))
    (tmp_path / f"{first.position.segment}.seg").unlink()
    for position in (None, first.position, first.position_after):
        found = [decode_header(f.payload).sequence for f in read_frames(tmp_path, position)]
        assert found == [1, 2, 3]


def test_a7_the_last_segment_is_never_deleted_even_when_all_is_acknowledged(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        epoch, sequence = spool.append(columns(50), NOON_MS, (at("quiet", 1),))
        end = end_position(tmp_path)
        assert end is not None
        acknowledge(tmp_path, epoch, sequence, end)
        for hours in range(0, 24 * 40, 24):
            spool.retention(NOON_MS + hours * HOUR_MS)
        assert spool.positions() == {"quiet": at("quiet", 1)}
        assert list(read_frames(tmp_path, end)) == []
    assert len(segments(tmp_path)) >= 1
    with open_spool(tmp_path) as spool:
        assert spool.append(columns(1), NOON_MS) == (epoch, sequence + 1)


def test_an_acknowledgement_is_read_back(tmp_path: Path) -> None:
    assert read_acknowledged(tmp_path) is None
    position = SpoolPosition(segment="0" * 20, offset=5)
    acknowledge(tmp_path, 7, 9, position)
    found = read_acknowledged(tmp_path)
    assert found is not None
    assert (found.epoch, found.sequence, found.position) == (7, 9, position)


def test_a13_a_backlog_is_read_oldest_first_in_bounded_pieces(tmp_path: Path) -> None:
    with open_spool(tmp_path, options=SpoolOptions(segment_bytes=20_000)) as spool:
        for seed in range(200):
            spool.write(columns(200, seed=seed), NOON_MS)
        spool.commit()
    position, sequences = None, []
    while pieces := list(read_frames(tmp_path, position, max_bytes=5_000)):
        assert sum(len(frame.payload) for frame in pieces[:-1]) < 5_000
        sequences += [decode_header(frame.payload).sequence for frame in pieces]
        position = pieces[-1].position_after
    assert sequences == [*range(200)]


@given(st.lists(st.one_of(st.integers(1, 40), st.sampled_from(["commit", "restart", "epoch"]))))
@settings(max_examples=100 if THOROUGH else 25, deadline=None)
def test_any_order_of_writes_commits_and_restarts_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    options = SpoolOptions(segment_bytes=1500)
    spool = open_spool(folder, options=options)
    expected: list[int] = []
    for number, step in enumerate(steps):
        if step == "commit":
            spool.commit()
        elif step == "epoch":
            spool.begin_epoch(number + 1)
        elif step == "restart":
            spool.close()
            spool = open_spool(folder, options=options)
            assert spool.positions().get("log", at("log", 0)).offset == sum(expected)
        else:
            expected.append(int(step))
            spool.write(columns(int(step)), NOON_MS, (at("log", sum(expected)),))
    spool.close()
    assert [events for _, _, events in spooled(folder)] == expected
