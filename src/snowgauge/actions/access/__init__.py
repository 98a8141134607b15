"""Who may do what: people with roles, sessions, API keys with scopes, and the record of what was done."""
