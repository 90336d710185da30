"""metering.store."""
