"""The pages of the catalog: the list of actions, and one page per action."""
