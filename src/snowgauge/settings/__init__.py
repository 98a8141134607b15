"""All settings as one typed tree, and reading them."""
