"""How a Kafka is reached and what it says of a topic; shared with metering and billing.

TLS and SASL are settings (`KafkaAccess`, `KafkaLink` in link.py); topic.py asks for a topic's id.
"""
