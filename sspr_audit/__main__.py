"""`python -m sspr_audit` is `sspr-audit`."""

from sspr_audit.cli import process

process()
