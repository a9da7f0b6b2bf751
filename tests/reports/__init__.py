"""Reports of people who do this work elsewhere, each as a command line with its input and the right value."""
