"""Where records come from: files, and the demo tenant."""
