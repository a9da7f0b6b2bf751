"""What is declared: services, actions, their inputs, and the checks of declarations and values."""
