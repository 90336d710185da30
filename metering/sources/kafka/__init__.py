"""metering.sources.kafka: a topic as a source; here it is decided where a worker may begin in it.

A position that Kafka no longer has ends the worker, and a record that unpacks to too much is handed
out as damaged. Nouns: `units.KafkaPosition`, `offsets.Place`, `settings.MeteringKafka`.
"""
