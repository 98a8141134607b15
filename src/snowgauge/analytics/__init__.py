"""Answers about visits, pages, goals and events: one typed question, answered from the modelled tables of any store."""
