"""Records → events: one SQL file an export form, then one for all of them."""
