"""edge.batch."""
