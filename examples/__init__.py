"""examples: price books, accounts and logs to start from, and the demo."""
