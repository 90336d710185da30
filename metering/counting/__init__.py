"""metering.counting."""
