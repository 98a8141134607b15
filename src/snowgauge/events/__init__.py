"""The values that flow through the pipeline; no input or output, no clock."""
