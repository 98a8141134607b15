"""Log lines, metrics and reports to the outside about how the process is doing."""
