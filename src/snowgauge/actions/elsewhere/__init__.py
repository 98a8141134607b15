"""Other deployments, as their agent APIs show them: health and figures, and nothing of what their events hold."""
