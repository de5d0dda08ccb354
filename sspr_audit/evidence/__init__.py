"""Flows, acts and what is known beside them → signals: one module a family of signals."""
