"""The commands, one module each: parse, call, hand to output, return an exit code."""
