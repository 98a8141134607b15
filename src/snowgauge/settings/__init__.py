"""The one typed description of a deployment."""
