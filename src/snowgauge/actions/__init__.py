"""One file for each thing that a person or program can ask of a deployment or do to it; no HTTP, no terminal."""
