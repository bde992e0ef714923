"""A release behind an address: REST as clients already speak it, an Endpoints handler, bulk scoring."""
