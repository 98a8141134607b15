"""Messages on their way: one module for each format, and the post that hands them over."""
