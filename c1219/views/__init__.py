"""Views: what the tables of a meter mean. Plain Python on a `c1219.Device`; what is missing is said in findings."""
