"""The checks, a family or two a module; `c1222.conformance.catalogue` puts them in order."""
