"""Events as Parquet files, partitioned for DuckDB, Spark, Trino and what else reads a lake."""
