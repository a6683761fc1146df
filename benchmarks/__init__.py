"""Benchmarks: each prints what it measured, as ratios against something plain, in one run."""
