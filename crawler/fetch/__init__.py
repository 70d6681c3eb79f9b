"""How bytes come in: politeness, address guard, wire tap, durable frontier."""
