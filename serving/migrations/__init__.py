"""Steps that bring the tables of serving's state to the shape the code reads; serving.state runs them."""
