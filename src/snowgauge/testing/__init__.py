"""For tests of this package, of plug-ins, and of what others build on it: contract suites, real servers, clients."""
