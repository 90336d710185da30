"""metering.sources."""
