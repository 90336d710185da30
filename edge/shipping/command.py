"""`edgetoll edge ship`: its options and what it says; the sending is edge.ship's."""

from __future__ import annotations

from typing import Annotated

import typer

from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, table


def ship(
    kafka: Annotated[
        str | None,
        typer.Option("--kafka", metavar="HOST:PORT", help="The broker; default: [edge.kafka]."),
    ] = None,
    edge: Annotated[
        str | None, typer.Option("--edge", metavar="ID", help="Only this edge's spool.")
    ] = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="Send what is there, then end; else go on for ever.")
    ] = False,
    resend: Annotated[
        bool,
        typer.Option(
            "--resend",
            help="Send everything the spool still keeps again (after Kafka lost data); "
            "what metering has counted already is not counted twice.",
        ),
    ] = False,
    patience: Annotated[
        float,
        typer.Option("--patience", metavar="SECONDS", help="With --drain: give up after so long."),
    ] = 120.0,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Send the spools of this home to Kafka and acknowledge what the broker has.

    While the broker is away the spool grows; afterwards the oldest batch goes first. TLS, mTLS and
    SASL are set in [edge.kafka] of edgetoll.toml.

    Example: edgetoll edge ship --kafka kafka1:9092,kafka2:9092
    """
    from edge.shipping.run import run

    shipper = run(home, kafka, edge=edge, drain=drain, resend=resend, patience_s=patience)
    lanes = [(lane.edge_id, lane.confirmed, lane.damaged) for lane in shipper.lanes]
    document = {
        "edges": [{"edge_id": e, "batches": sent, "damaged": bad} for e, sent, bad in lanes],
        "batches": shipper.confirmed,
        "producers": shipper.producers,
    }
    emit(document, as_json=as_json, human=lambda: _show(lanes))


def _show(lanes: list[tuple[str, int, int]]) -> None:
    rows = [(edge_id, f"{sent:,}", f"{bad:,}") for edge_id, sent, bad in lanes]
    table(
        "acknowledged by Kafka",
        ("edge", "batches", "damaged frames"),
        rows,
        right=("batches", "damaged frames"),
    )
