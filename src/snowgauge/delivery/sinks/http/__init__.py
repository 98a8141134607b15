"""Events as requests to HTTP destinations: a filter, a template, a signature; what is refused becomes dead letters."""
