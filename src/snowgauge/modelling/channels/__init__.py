"""Where visits come from: the names of sources, their kinds, and the channels made of them."""
