"""Letters leave: an outbox that loses and doubles nothing, and the ways out of it."""
