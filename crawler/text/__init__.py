"""Pure functions on text: no input, no output, no state."""
