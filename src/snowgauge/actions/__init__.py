"""What can be asked of, or done to, a running system; one file each. The faces only present them."""
