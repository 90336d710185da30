"""edge.shipping."""
