"""metering.sources.kafka."""
