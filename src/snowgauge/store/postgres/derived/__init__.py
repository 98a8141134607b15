"""The modelled tables on PostgreSQL."""
