"""The rows that the events of one unit make: a pure function, the same whatever store they came from."""
