"""COSEM (IEC 62056) names for what a meter's tables hold, declared as rows, in both directions."""
