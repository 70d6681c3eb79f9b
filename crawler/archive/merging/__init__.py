"""The parts of merging a shard: what it is checked for, whose ids its rows get, and histories that are joined."""
