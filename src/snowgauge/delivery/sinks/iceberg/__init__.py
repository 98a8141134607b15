"""Events in Iceberg tables."""
