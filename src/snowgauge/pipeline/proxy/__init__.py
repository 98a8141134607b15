"""HTTPS at the front: the routing as values, written for Traefik, Caddy and nginx, and the proxy that is run."""
