"""One module a step, in the order their ``down_revision`` tells; a step may import what its parent says."""
