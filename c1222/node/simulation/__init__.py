"""What a simulated meter measures: signals, energy flows, registers, load profile."""
