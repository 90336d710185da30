"""All lines of a block at once: what stands in every one of them, and the values between."""
