"""metering.hours."""
