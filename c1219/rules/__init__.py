"""Rules of the meter: what values of tables mean, for those who read a meter and those who simulate one."""
