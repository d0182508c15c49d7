"""What decoded batches show of meters: octets of tables, elements in columns, readings."""
