"""From a request that was acknowledged to rows that are stored, once: the log, its workers and its sinks."""
