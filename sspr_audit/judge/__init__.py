"""Signals and the catalogue → findings."""
