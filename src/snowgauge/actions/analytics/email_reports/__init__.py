"""Figures by e-mail: once a week or once a month, to people with or without an account."""
