"""The contract of an event log, as tests that every backend passes."""
