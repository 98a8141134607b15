"""Events as files of JSON lines."""
