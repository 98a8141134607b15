"""The store on PostgreSQL, laid out as Snowplow's Postgres loader lays it out."""
