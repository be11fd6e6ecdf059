"""A benchmark for every promise. Ratios, measured side by side in one run."""
