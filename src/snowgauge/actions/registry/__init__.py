"""The deployment's own registry of schemas: what is published here is what the pipeline validates against."""
