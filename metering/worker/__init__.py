"""metering.worker: the loop that fetches, counts, commits, publishes and closes; and its checks.

Here it is decided when to flush and to publish, and what a worker says of itself. Nouns:
`worker.Worker`, `status.Moment`, `checks.StoreCheck`.
"""
