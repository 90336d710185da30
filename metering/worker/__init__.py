"""metering.worker."""
