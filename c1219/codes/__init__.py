"""The standard's code lists: units of measure, events, results and states. Facts only; nothing here reads octets."""
