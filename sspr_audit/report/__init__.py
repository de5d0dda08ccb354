"""Findings and flows to one Report; a Report to what people and programs read."""
