"""The parts of a meter as COSEM objects: registers, load profiles, times, status, whole tables."""
