"""edge.agent."""
