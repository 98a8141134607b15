"""Questions as SQL: tables, expressions and statements that each store's dialect renders for itself."""
