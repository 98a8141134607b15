"""Questions about visits, pages and goals, asked of a running system."""
