"""Measures durable_singleton on private clusters; bench/bench starts it."""
