"""The way of a spool to Kafka: to which partition, in what order, and when it is acknowledged.

Nothing is ever given up: what the broker did not confirm is sent again. The nouns are `Lane`
(one spool on its way), `Binding` (the partition of each epoch) and `ShipOptions`.
"""
