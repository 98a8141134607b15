"""Being told: what is watched, when it is wrong, and messages that say so, each once."""
