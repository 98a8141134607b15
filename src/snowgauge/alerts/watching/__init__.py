"""How each kind of alert is checked: one module for each thing that is read."""
