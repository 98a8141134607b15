"""Reports on what people do over time: funnels, retention, lifecycle, stickiness, journeys, trends and attribution."""
