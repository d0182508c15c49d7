"""Vectors held against this library or against a program of somebody else."""
