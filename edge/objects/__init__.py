"""Logs from where they lie: object stores, folders and patterns, each object once."""
