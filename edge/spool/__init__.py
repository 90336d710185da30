"""edge.spool."""
