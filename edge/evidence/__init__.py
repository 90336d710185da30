"""What a bill was made of: for each log that was read, its hash and what was counted from it."""
