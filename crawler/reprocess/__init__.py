"""Today's rules over everything that was archived, without the network."""
