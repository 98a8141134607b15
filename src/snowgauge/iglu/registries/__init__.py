"""Places that schemas come from, one file each."""
