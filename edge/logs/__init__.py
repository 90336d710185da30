"""edge.logs."""
