"""Tables declared in files: TOML or JSON in place of Python, for those who hold a manufacturer's documents."""
