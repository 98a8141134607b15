"""OpenID Connect: what an issuer says of itself, its keys and tokens, and logging people in through it."""
