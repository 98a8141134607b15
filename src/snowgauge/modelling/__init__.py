"""Modelled tables: what people ask about (visits, pages, visitors, goals), made from the events that were stored."""
