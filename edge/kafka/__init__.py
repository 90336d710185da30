"""edge.kafka."""
