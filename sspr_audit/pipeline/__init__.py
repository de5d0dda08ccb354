"""One module a job; the only place that knows more than one stage."""
